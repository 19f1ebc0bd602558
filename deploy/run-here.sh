#!/usr/bin/env bash
# The cluster of compose.yaml without containers: the same settings (cluster.env), every process on loopback, until Ctrl-C.
# Needs versitygw (node scripts/launch.cjs scripts/cluster-servers.ts), redis-server or valkey-server, postgres, nginx, curl,
# openssl. As root, PostgreSQL runs as the user postgres.
#   deploy/run-here.sh [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$(mktemp -d /tmp/granary-cluster-XXXXXX)}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
PATH="${XDG_CACHE_HOME:-$HOME/.cache}/granary-servers:$(pg_config --bindir):/usr/sbin:$PATH"
# GRANARY_PROGRAM names another than this clone's, for example a bundle: "node /usr/local/lib/granary.mjs".
read -ra granary <<<"${GRANARY_PROGRAM:-node $root/scripts/launch.cjs $root/bin/granary.ts}"
unset GRANARY_PROGRAM
s3=17070 redis=16379 postgres=15432 node1=18081 node2=18082 nginx=18443

declare -A pid_of
pids=()
stop() {
  trap - EXIT INT TERM
  # The last one started ends first: nginx, the nodes, then what they use.
  for ((at = ${#pids[@]} - 1; at >= 0; at--)); do kill "${pids[at]}" 2>/dev/null || true; wait "${pids[at]}" 2>/dev/null || true; done
  echo "stopped; everything lies in $dir"
}
trap stop EXIT INT TERM
run() { # NAME COMMAND...
  local name=$1; shift
  "$@" >"$dir/$name.log" 2>&1 &
  pids+=($!)
  pid_of[$name]=$!
  echo "$name: $! ($dir/$name.log)"
}
answers() { # NAME COMMAND...
  local name=$1; shift
  # Another process on the same port would answer as well.
  for _ in $(seq 300); do
    kill -0 "${pid_of[$name]}" 2>/dev/null || break
    if "$@" >/dev/null 2>&1; then sleep 0.2; if kill -0 "${pid_of[$name]}" 2>/dev/null; then return; fi; fi
    sleep 0.2
  done
  echo "$name does not run, or does not answer:"; tail -n 20 "$dir/$name.log"; exit 3
}

set -a; . "$root/deploy/cluster.env"; set +a
GRANARY_S3_ENDPOINT=http://127.0.0.1:$s3
GRANARY_REDIS_URL=redis://127.0.0.1:$redis
GRANARY_POSTGRES_URL=postgres://granary@127.0.0.1:$postgres/postgres

mkdir -p "$dir"/{data,versions,tls,nginx/cache,nginx/temp,postgres}
export ROOT_ACCESS_KEY=$GRANARY_S3_ACCESS_KEY ROOT_SECRET_KEY=$GRANARY_S3_SECRET_KEY
run s3 versitygw --quiet --port 127.0.0.1:$s3 posix --versioning-dir "$dir/versions" "$dir/data"
run redis "$(command -v valkey-server || command -v redis-server)" --port $redis --bind 127.0.0.1 --save '' --appendonly no --maxmemory 256mb --maxmemory-policy volatile-ttl
as=()
if [ "$(id -u)" = 0 ]; then chown -R postgres "$dir/postgres"; chmod 755 "$dir"; as=(setpriv --reuid postgres --regid postgres --clear-groups); fi
[ -e "$dir/postgres/d" ] || (cd "$dir/postgres" && "${as[@]}" initdb -D "$dir/postgres/d" -A trust -U granary -E UTF8 --locale=C >/dev/null)
run postgres "${as[@]}" postgres -D "$dir/postgres/d" -p $postgres -c listen_addresses=127.0.0.1 -c "unix_socket_directories=$dir/postgres"
answers redis bash -c "echo PING > /dev/tcp/127.0.0.1/$redis"
answers postgres pg_isready -U granary -h 127.0.0.1 -p $postgres
# The sha256 of no bytes.
empty="x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
bucket() { case $(curl -s -o /dev/null -w '%{http_code}' --aws-sigv4 aws:amz:us-east-1:s3 --user "$GRANARY_S3_ACCESS_KEY:$GRANARY_S3_SECRET_KEY" -H "$empty" -X PUT "$GRANARY_S3_ENDPOINT/$GRANARY_S3_BUCKET") in 200 | 409) ;; *) return 1 ;; esac; }
answers s3 bucket

for name in node1 node2; do
  run $name env GRANARY_CLUSTER_NODE=$name GRANARY_STORE="$dir/$name" GRANARY_LISTEN=127.0.0.1:${!name} "${granary[@]}" serve
done
for name in node1 node2; do answers $name curl -sf http://127.0.0.1:${!name}/-/readyz; done

[ -e "$dir/tls/cert.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/tls/key.pem" -out "$dir/tls/cert.pem" 2>/dev/null
"${granary[@]}" gen nginx --node 127.0.0.1:$node1 --node 127.0.0.1:$node2 --server-name localhost --listen 127.0.0.1:$nginx \
  --tls-cert "$dir/tls/cert.pem" --tls-key "$dir/tls/key.pem" --cache "$dir/nginx/cache" --out "$dir/nginx/granary.conf" --test
{
  [ "$(id -u)" = 0 ] && echo "user root;"
  echo "daemon off; pid $dir/nginx/pid;"
  echo "events { worker_connections 4096; }"
  echo "http { access_log off;"
  for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $dir/nginx/temp/$kind;"; done
  echo "include $dir/nginx/granary.conf; }"
} >"$dir/nginx/nginx.conf"
run nginx nginx -e stderr -p "$dir/nginx" -c "$dir/nginx/nginx.conf"
answers nginx curl -sf --cacert "$dir/tls/cert.pem" https://localhost:$nginx/-/readyz
echo "ready: SSL_CERT_FILE=$dir/tls/cert.pem GOPROXY=https://localhost:$nginx go mod download …"
while kill -0 "${pids[-1]}" 2>/dev/null; do sleep 1; done
