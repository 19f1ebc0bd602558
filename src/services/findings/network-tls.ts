// TLS and TCP: why a connection to a proxy, a checksum database or a repository does not come about.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

type At = { readonly at: string };

export const tlsFindings = {
  TCP_NO_ADDRESS: kind<{ readonly host: string }>("fail", "dns.md", {
    en: {
      title: ({ host }) => `${host} has no address here`,
      why: "The system's resolver knows no address for the name, so nothing is even dialled. Go says `no such host`.",
      advice: "See who answers for it: granary dns which HOST. Ask other servers: granary dns compare HOST.",
    },
    "zh-CN": {
      title: ({ host }) => `本机解析不到 ${host} 的地址`,
      why: "系统解析器没有该域名的地址，连接无从发起；Go 报 `no such host`。",
      advice: "查看由谁应答：granary dns which 域名；与其他服务器对比：granary dns compare 域名。",
    },
  }),
  TCP_REFUSED: kind<At>("fail", "tls.md#no-connection", {
    en: {
      title: ({ at }) => `${at} refuses the connection`,
      why: "The machine is there, and nothing listens on that port; or a firewall answers in its place.",
      advice: "Check the port, and that the service runs.",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 拒绝连接`,
      why: "机器可达，但该端口无人监听，或由防火墙代为拒绝。",
      advice: "检查端口，并确认服务已启动。",
    },
  }),
  TCP_TIMEOUT: kind<At>("fail", "tls.md#no-connection", {
    en: {
      title: ({ at }) => `${at} does not answer`,
      why: "Packets are dropped on the way or at the end. Go waits 30 s for each address and then says `i/o timeout`; it does not try again.",
      advice: "Use a mirror that can be reached, or the egress proxy of your network (HTTPS_PROXY).",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 无响应`,
      why: "数据包在途中或对端被丢弃。Go 对每个地址等 30 s 后报 `i/o timeout`，不会重试。",
      advice: "改用可达的镜像，或使用所在网络的出口代理（HTTPS_PROXY）。",
    },
  }),
  TCP_UNREACHABLE: kind<At>("fail", "tls.md#no-connection", {
    en: {
      title: ({ at }) => `no connection to ${at}`,
      why: "This machine has no route to the address.",
      advice: "Check the network, the VPN, and whether the address is one of this network.",
    },
    "zh-CN": {
      title: ({ at }) => `无法连接 ${at}`,
      why: "本机没有到该地址的路由。",
      advice: "检查网络、VPN，以及该地址是否属于当前网络。",
    },
  }),
  TCP_PROXY_REFUSED: kind<At & { readonly text: string }>("fail", "tls.md#no-connection", {
    en: {
      title: ({ at, text }) => `the egress proxy does not connect to ${at}: ${text}`,
      why: "HTTPS_PROXY sends every https request of go through that proxy, and it did not open the tunnel (CONNECT). 407 means that it wants a user and a password.",
      advice: "Have the host allowed there, or put it into NO_PROXY when it can be reached directly.",
    },
    "zh-CN": {
      title: ({ at, text }) => `出口代理未连通 ${at}：${text}`,
      why: "HTTPS_PROXY 使 go 的 https 请求全部经过该代理，而它未建立隧道（CONNECT）。407 表示需要用户名和密码。",
      advice: "请代理管理员放行该主机；若可直连，则写入 NO_PROXY。",
    },
  }),
  TCP_SOME_ADDRESSES_FAIL: kind<At & { readonly bad: number; readonly all: number }>("warn", "tls.md#no-connection", {
    en: {
      title: ({ at, bad, all }) => `${bad} of ${all} addresses of ${at} do not work`,
      why: "Go dials the addresses of a name one after the other: each dead one costs time before the next is tried.",
    },
    "zh-CN": {
      title: ({ at, bad, all }) => `${at} 的 ${all} 个地址中有 ${bad} 个不可用`,
      why: "Go 依次尝试域名的各个地址，每个失效地址都会先耗去一段时间。",
    },
  }),
  TLS_RESET: kind<At>("fail", "tls.md#cut-off", {
    en: {
      title: ({ at }) => `${at} resets the connection when TLS begins`,
      why: "The first message of TLS was answered with a reset, and another name at the same address fares no better: the address is filtered, or the server is broken.",
      advice: "Use another mirror, or go through an egress proxy that can reach it.",
    },
    "zh-CN": {
      title: ({ at }) => `TLS 开始时 ${at} 重置了连接`,
      why: "第一条 TLS 消息即被重置，换一个域名访问同一地址也一样：该地址被过滤，或服务器故障。",
      advice: "改用其他镜像，或经可达的出口代理访问。",
    },
  }),
  TLS_SNI_RESET: kind<At & { readonly name: string }>("fail", "tls.md#cut-off", {
    en: {
      title: ({ at, name }) => `${at} is cut off as soon as it is called ${name}`,
      why: "The same address answers another name, and cuts this one off: something on the way reads the server name (SNI) and filters by it. Go cannot hide it.",
      advice: "Use a mirror with another name (GOPROXY), or an egress proxy outside this network.",
    },
    "zh-CN": {
      title: ({ at, name }) => `以 ${name} 访问 ${at} 时连接被切断`,
      why: "同一地址对其他域名有应答，唯独切断该域名：途中有设备按服务器名称（SNI）过滤，Go 无法隐藏它。",
      advice: "改用其他域名的镜像（GOPROXY），或经网络外的出口代理访问。",
    },
  }),
  TLS_SILENT: kind<At>("fail", "tls.md#cut-off", {
    en: {
      title: ({ at }) => `${at} takes the connection and says nothing`,
      why: "The connection stands, and the first message of TLS gets no answer. Go gives up after 10 s (`TLS handshake timeout`).",
      advice: "Packets may be too large for the way (MTU of a VPN), or filtered; try another network or mirror.",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 接受连接后没有应答`,
      why: "TCP 已连通，但第一条 TLS 消息没有回应；Go 在 10 s 后放弃（`TLS handshake timeout`）。",
      advice: "可能是数据包过大（VPN 的 MTU）或被过滤，换网络或镜像再试。",
    },
  }),
  TLS_CLOSED: kind<At>("fail", "tls.md#cut-off", {
    en: {
      title: ({ at }) => `${at} hangs up when TLS begins`,
      why: "The server ended the connection without a word: it may not speak TLS on this port, or a load balancer has nobody behind it. Go says `EOF`.",
      advice: "Check the port, and what the server logs.",
    },
    "zh-CN": {
      title: ({ at }) => `TLS 开始时 ${at} 直接断开`,
      why: "服务器一言不发地关闭了连接：该端口可能不是 TLS，或负载均衡后端为空；Go 报 `EOF`。",
      advice: "检查端口，并查看服务器日志。",
    },
  }),
  TLS_PLAIN_HTTP: kind<At>("fail", "tls.md#not-tls", {
    en: {
      title: ({ at }) => `${at} speaks plain HTTP, not TLS`,
      why: "The server answered the first message of TLS with HTTP. Go says `http: server gave HTTP response to HTTPS client`.",
      advice:
        "Write http:// in GOPROXY when that is meant, or give the server a certificate. Go sends no credentials over http.",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 是明文 HTTP，不是 TLS`,
      why: "服务器以 HTTP 回应了 TLS 的第一条消息；Go 报 `http: server gave HTTP response to HTTPS client`。",
      advice: "若本意如此，在 GOPROXY 中写 http://；否则为服务器配置证书。Go 不在 http 上发送凭据。",
    },
  }),
  TLS_NOT_TLS: kind<At>("fail", "tls.md#not-tls", {
    en: {
      title: ({ at }) => `${at} does not speak TLS`,
      why: "What came back is no record of TLS. OpenSSL calls it WRONG_VERSION_NUMBER; it has nothing to do with versions or names.",
      advice: "Check the port.",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 不是 TLS 服务`,
      why: "返回的不是 TLS 记录。OpenSSL 称之为 WRONG_VERSION_NUMBER，与版本和域名都无关。",
      advice: "检查端口。",
    },
  }),
  TLS_OLD_VERSION: kind<At & { readonly version: string }>("fail", "tls.md#versions", {
    en: {
      title: ({ at, version }) => `${at} speaks only ${version}`,
      why: "Go takes TLS 1.2 and newer since Go 1.18. `server selected unsupported protocol version` is about versions only, never about the server's name.",
      advice: "Have TLS 1.2 or 1.3 turned on at the server, or put a reverse proxy in front of it.",
    },
    "zh-CN": {
      title: ({ at, version }) => `${at} 只支持 ${version}`,
      why: "Go 1.18 起只接受 TLS 1.2 及以上。`server selected unsupported protocol version` 只与版本有关，与服务器名称无关。",
      advice: "在服务器上启用 TLS 1.2 或 1.3，或在其前面加一层反向代理。",
    },
  }),
  TLS_BELOW_MINIMUM: kind<At & { readonly version: string; readonly min: string }>("warn", "tls.md#versions", {
    en: {
      title: ({ at, version, min }) => `${at} chose ${version}, and ${min} is wanted`,
      why: "The server was offered everything from TLS 1.2 to 1.3 and chose this. Go would accept it.",
    },
    "zh-CN": {
      title: ({ at, version, min }) => `${at} 选择了 ${version}，要求至少 ${min}`,
      why: "客户端提供了 TLS 1.2 到 1.3，服务器选了这个版本；Go 会接受。",
    },
  }),
  TLS_NAME_REFUSED: kind<At & { readonly name: string }>("fail", "tls.md#names", {
    en: {
      title: ({ at, name }) => `${at} knows no ${name}`,
      why: "The server ended the handshake with the alert unrecognized_name: none of its certificates is for the name it was called by (SNI).",
      advice: "Use the name that the server is set up for, or have this one added there.",
    },
    "zh-CN": {
      title: ({ at, name }) => `${at} 不认识 ${name}`,
      why: "服务器以 unrecognized_name 告警结束握手：它没有该名称（SNI）的证书。",
      advice: "改用服务器已配置的域名，或在服务器上添加该域名。",
    },
  }),
  TLS_ALERT: kind<At & { readonly alert: string }>("fail", "tls.md#versions", {
    en: {
      title: ({ at, alert }) => `${at} ends the handshake: ${alert}`,
      why: "The server refused what go offers. `handshake failure` mostly means that no cipher is common to both.",
      advice: "See what the server logs for this connection.",
    },
    "zh-CN": {
      title: ({ at, alert }) => `${at} 终止握手：${alert}`,
      why: "服务器拒绝了 go 提供的参数。`handshake failure` 多半是没有共同的加密套件。",
      advice: "查看服务器对该连接的日志。",
    },
  }),
  TLS_FAILED: kind<At & { readonly text: string }>("fail", "tls.md", {
    en: {
      title: ({ at, text }) => `no TLS with ${at}: ${text}`,
      why: "The handshake ended for a reason that has no better name here; the text is that of OpenSSL or of the system.",
    },
    "zh-CN": {
      title: ({ at, text }) => `与 ${at} 的 TLS 失败：${text}`,
      why: "握手因其他原因结束，原文来自 OpenSSL 或系统。",
    },
  }),
  TLS_MISSING_INTERMEDIATE: kind<At & { readonly issuer: string }>("fail", "tls.md#missing-intermediate", {
    en: {
      title: ({ at, issuer }) => `${at} does not send the certificate of ${issuer}`,
      why: "The chain ends before any authority that this machine knows. Browsers and macOS fetch the missing piece by themselves; go on Linux does not.",
      advice:
        "Have the server send its whole chain (nginx: ssl_certificate with leaf and intermediates in one file). When that issuer is your company's own authority, add it to the system instead.",
    },
    "zh-CN": {
      title: ({ at, issuer }) => `${at} 未发送 ${issuer} 的证书`,
      why: "证书链没有到达本机认识的任何根。浏览器和 macOS 会自行补全缺失的中间证书，Linux 上的 go 不会。",
      advice:
        "让服务器发送完整证书链（nginx：ssl_certificate 中依次放入站点证书和中间证书）。若签发者是公司自有 CA，则将其加入系统信任库。",
    },
  }),
  TLS_SELF_SIGNED: kind<At>("fail", "tls.md#unknown-authority", {
    en: {
      title: ({ at }) => `${at} signed its certificate itself`,
      why: "No authority vouches for it, and go has no setting that skips the check toward a proxy or a checksum database: GOINSECURE is for `direct` only.",
      advice:
        "Give the server a certificate of an authority. Trusting this very certificate is possible: compare its fingerprint with the server's owner first.",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 使用自签名证书`,
      why: "没有 CA 为其担保；对代理和校验和数据库，go 没有跳过校验的设置，GOINSECURE 只作用于 `direct`。",
      advice: "为服务器签发正式证书。也可信任该证书本身，但须先与服务器负责人核对指纹。",
    },
  }),
  TLS_UNKNOWN_AUTHORITY: kind<At & { readonly issuer: string }>("fail", "tls.md#unknown-authority", {
    en: {
      title: ({ at, issuer }) => `${at}: this machine does not know the authority ${issuer}`,
      why: "The chain is whole, and its root is not among the certificates that go reads here. GOINSECURE does not help toward a proxy.",
      advice:
        "When it is your company's authority, get it from those who run it and add it to the system, or name a file with it in SSL_CERT_FILE. In images from scratch and distroless there may be no other way.",
    },
    "zh-CN": {
      title: ({ at, issuer }) => `${at}：本机不认识签发者 ${issuer}`,
      why: "证书链完整，但其根证书不在 go 读取的信任库中；GOINSECURE 对代理无效。",
      advice:
        "若是公司 CA，请向其管理者索取并加入系统信任库，或用 SSL_CERT_FILE 指定含该证书的文件；scratch 和 distroless 镜像中往往只有后一种办法。",
    },
  }),
  TLS_NO_ROOTS: kind<At & { readonly count: number }>("fail", "tls.md#unknown-authority", {
    en: {
      title: ({ at, count }) => `${at} is fine; this machine's list of authorities (${count}) is not`,
      why: "Mozilla's authorities vouch for the server, and those that go reads here do not: the package ca-certificates is missing or old, or SSL_CERT_FILE and SSL_CERT_DIR name something else.",
      advice:
        "Install ca-certificates (apt-get, apk, dnf); in an image from scratch copy /etc/ssl/certs/ca-certificates.crt into it; or take SSL_CERT_FILE away.",
    },
    "zh-CN": {
      title: ({ at, count }) => `${at} 没有问题，问题在本机的信任库（${count} 个根证书）`,
      why: "Mozilla 的根证书认可该服务器，而 go 在本机读到的不认可：ca-certificates 缺失或过旧，或 SSL_CERT_FILE、SSL_CERT_DIR 指到了别处。",
      advice:
        "安装 ca-certificates（apt-get、apk、dnf）；scratch 镜像须拷入 /etc/ssl/certs/ca-certificates.crt；或取消 SSL_CERT_FILE。",
    },
  }),
  TLS_WEAK_SIGNATURE: kind<At & { readonly algorithm: string }>("fail", "tls.md#weak-signatures", {
    en: {
      title: ({ at, algorithm }) => `${at}: a certificate is signed with ${algorithm}`,
      why: "Signatures with SHA-1 and MD5 can be forged. Go refuses them since Go 1.18, and since Go 1.24 no setting brings them back.",
      advice: "Have the certificate issued anew with SHA-256.",
    },
    "zh-CN": {
      title: ({ at, algorithm }) => `${at}：证书使用 ${algorithm} 签名`,
      why: "SHA-1 和 MD5 签名可被伪造。Go 1.18 起拒绝，Go 1.24 起没有任何设置能恢复。",
      advice: "用 SHA-256 重新签发证书。",
    },
  }),
  TLS_INTERCEPTED: kind<At & { readonly by: string }>("fail", "tls.md#interception", {
    en: {
      title: ({ at, by }) => `${at}: the connection is opened on the way by ${by}`,
      why: "The certificate was not made by those who run the host: a device or program in between opens TLS and signs with an authority of its own. It sees everything, and could change it; go.sum and the checksum database would notice.",
      advice:
        "Ask those who run your network. Add their authority to the system only when they confirm its fingerprint.",
    },
    "zh-CN": {
      title: ({ at, by }) => `${at}：连接在途中被 ${by} 解密`,
      why: "证书并非该主机的运营者所有：中间有设备或程序解开 TLS 并用自己的 CA 重新签发。它能看到并可能改动内容；改动会被 go.sum 和校验和数据库发现。",
      advice: "请向网络管理员确认；核对指纹无误后，方可将其 CA 加入系统信任库。",
    },
  }),
  TLS_AUTHORITY_EXPIRED: kind<At & { readonly issuer: string }>("fail", "tls.md#time", {
    en: {
      title: ({ at, issuer }) => `${at}: the authority ${issuer} is out of its time`,
      why: "The leaf may still be valid, and the certificate above it is not: go looks at every one on the way to the root.",
      advice: "Have the server send the renewed intermediate, or update the list of authorities of this machine.",
    },
    "zh-CN": {
      title: ({ at, issuer }) => `${at}：签发者 ${issuer} 不在有效期内`,
      why: "站点证书可能仍有效，但其上级证书已失效；go 会检查通往根的每一级。",
      advice: "让服务器改发新的中间证书，或更新本机的根证书列表。",
    },
  }),
  TLS_REFUSED_CHAIN: kind<At & { readonly reason: string }>("fail", "tls.md#unknown-authority", {
    en: {
      title: ({ at, reason }) => `${at}: go does not take the certificate: ${reason}`,
      why: "The certificate breaks a rule of RFC 5280 that go holds to: what a key may be used for, or an extension that nobody knows.",
      advice: "Have it issued anew.",
    },
    "zh-CN": {
      title: ({ at, reason }) => `${at}：go 不接受该证书：${reason}`,
      why: "证书违反了 go 所遵守的 RFC 5280 规则：密钥用途不符，或含有未知的关键扩展。",
      advice: "重新签发证书。",
    },
  }),
  TLS_NAME_MISMATCH: kind<At & { readonly name: string; readonly names: string }>("fail", "tls.md#names", {
    en: {
      title: ({ at, name, names }) => `${at}: the certificate is for ${names}, not for ${name}`,
      why: "Go compares the name with the alternative names (SAN) alone and never with the common name; a `*` stands for one label.",
      advice:
        "Use a name that it is for, or have it issued with this one. When the name should be right, the address may be wrong: granary dns compare HOST.",
    },
    "zh-CN": {
      title: ({ at, name, names }) => `${at}：证书属于 ${names}，不是 ${name}`,
      why: "Go 只比较备用名称（SAN），不看 CN；`*` 只代表一级。",
      advice: "改用证书中的域名，或重新签发。若域名无误，可能是解析到了错误的地址：granary dns compare 域名。",
    },
  }),
  TLS_DEFAULT_CERTIFICATE: kind<At & { readonly name: string; readonly names: string }>("fail", "tls.md#names", {
    en: {
      title: ({ at, name, names }) => `${at} shows its default certificate (${names}), not one for ${name}`,
      why: "Without any name the server shows the same certificate: it does not know the name it was called by (SNI), or this is not the server that was meant.",
      advice: "Have the name set up at the server; or see whether the address is right: granary dns compare HOST.",
    },
    "zh-CN": {
      title: ({ at, name, names }) => `${at} 给出默认证书（${names}），不是 ${name} 的`,
      why: "不带名称访问时证书相同：服务器不认识该名称（SNI），或这根本不是目标服务器。",
      advice: "在服务器上配置该域名；或检查地址是否正确：granary dns compare 域名。",
    },
  }),
  TLS_EXPIRED: kind<At & { readonly limit: string }>("fail", "tls.md#time", {
    en: {
      title: ({ at, limit }) => `${at}: the certificate ended on ${limit}`,
      why: "Go takes no certificate after its last day, whoever signed it.",
      advice: "Have it renewed, and see why the renewal did not run.",
    },
    "zh-CN": {
      title: ({ at, limit }) => `${at}：证书已于 ${limit} 到期`,
      why: "无论由谁签发，过期证书 Go 一律不接受。",
      advice: "续期证书，并查明自动续期为何没有执行。",
    },
  }),
  TLS_NOT_YET_VALID: kind<At & { readonly limit: string }>("fail", "tls.md#time", {
    en: {
      title: ({ at, limit }) => `${at}: the certificate begins only on ${limit}`,
      why: "Go takes no certificate before its first moment. Mostly it is a clock: that of this machine, or that of whoever issued it.",
      advice: "Compare this machine's clock with another; else have the certificate issued anew.",
    },
    "zh-CN": {
      title: ({ at, limit }) => `${at}：证书从 ${limit} 起才有效`,
      why: "证书生效前 Go 不接受。多半是时钟问题：本机的，或签发者的。",
      advice: "核对本机时钟；否则重新签发证书。",
    },
  }),
  TLS_CLOCK_WRONG: kind<At & { readonly local: string }>("fail", "tls.md#time", {
    en: {
      title: ({ at, local }) => `this machine's clock is wrong: it says ${local} (seen at ${at})`,
      why: "Certificates are held against the local clock: with a wrong one good certificates are expired or not yet valid, for every host.",
      advice: "Set the clock (timedatectl set-ntp true, w32tm /resync); in a virtual machine look at the host's.",
    },
    "zh-CN": {
      title: ({ at, local }) => `本机时钟有误：显示 ${local}（对照 ${at}）`,
      why: "证书有效期以本机时钟为准：时钟不对，所有主机的正常证书都会显得过期或尚未生效。",
      advice: "校准时钟（timedatectl set-ntp true、w32tm /resync）；虚拟机请检查宿主机。",
    },
  }),
  TLS_EXPIRES_SOON: kind<At & { readonly days: number }>("warn", "tls.md#time", {
    en: {
      title: ({ at, days }) => `${at}: the certificate ends in ${days} d`,
      why: "On that day every build that asks this host fails at once.",
      advice: "See that its renewal runs.",
    },
    "zh-CN": {
      title: ({ at, days }) => `${at}：证书还有 ${days} 天到期`,
      why: "到期之日，所有依赖该主机的构建会同时失败。",
      advice: "确认自动续期正常。",
    },
  }),
  TLS_CLIENT_CERTIFICATE: kind<At>("fail", "tls.md#client-certificates", {
    en: {
      title: ({ at }) => `${at} wants a client certificate`,
      why: "The go command cannot present one: no variable and no flag is for it.",
      advice:
        "Let granary agent stand in between: it listens on the loopback and presents the certificate. Or have the server take a token (netrc, GOAUTH).",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 要求客户端证书`,
      why: "go 命令无法出示客户端证书，没有任何变量或参数可用。",
      advice: "在本机运行 granary agent，由它监听回环地址并出示证书；或让服务器改用令牌（netrc、GOAUTH）。",
    },
  }),
  TLS_OPENSSL_DIFFERS: kind<At & { readonly name: string }>("warn", "tls.md#unknown-authority", {
    en: {
      title: ({ at, name }) => `${at}: OpenSSL objects (${name})`,
      why: "The same chain with the same authorities: our reading of go's rules accepts it, OpenSSL does not. Name constraints and policies are weighed by OpenSSL and go alone.",
    },
    "zh-CN": {
      title: ({ at, name }) => `${at}：OpenSSL 不认可（${name}）`,
      why: "同一证书链、同一组根证书：按 go 的规则可以接受，OpenSSL 却不接受。名称约束与策略只由 OpenSSL 和 go 检查。",
    },
  }),
  TLS_STORES_DIFFER: kind<At & { readonly root: string }>("info", "tls.md#unknown-authority", {
    en: {
      title: ({ at, root }) => `${at} is trusted here because of ${root}`,
      why: "That authority is in this machine's list and not in Mozilla's: other machines, containers and programs with a list of their own (Node, Java, Python) refuse the server.",
      advice: "Add the authority to the images that build, too.",
    },
    "zh-CN": {
      title: ({ at, root }) => `本机信任 ${at} 是因为 ${root}`,
      why: "该根证书在本机列表中，却不在 Mozilla 列表中：其他机器、容器和自带列表的程序（Node、Java、Python）会拒绝该服务器。",
      advice: "构建用的镜像也要加入该根证书。",
    },
  }),
  TLS_ADDRESSES_DIFFER: kind<At>("warn", "tls.md#names", {
    en: {
      title: ({ at }) => `the addresses of ${at} show different certificates`,
      why: "Which of them go meets is chance: a build works in one minute and fails in the next.",
    },
    "zh-CN": {
      title: ({ at }) => `${at} 的各个地址给出的证书不同`,
      why: "go 连到哪个地址是偶然的：这一分钟能构建，下一分钟就可能失败。",
    },
  }),
  TLS_NO_HTTP2: kind<{ readonly host: string; readonly alpn: string }>("info", "tls.md#versions", {
    en: {
      title: ({ host, alpn }) => `${host} does not choose HTTP/2 (ALPN: ${alpn})`,
      why: "Go offers h2 and http/1.1. Without h2 it works as well, with more connections.",
    },
    "zh-CN": {
      title: ({ host, alpn }) => `${host} 未选用 HTTP/2（ALPN：${alpn}）`,
      why: "Go 同时提供 h2 和 http/1.1；没有 h2 也能工作，只是连接更多。",
    },
  }),
} as const satisfies Area;
