// What go, and the git it runs, say about certificates and TLS.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#certificates";

export const goCertificateFindings = {
  GO_ERR_UNKNOWN_AUTHORITY: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `nobody this machine trusts signed the certificate of ${or(host, "the server")}`,
      why: "A company's TLS inspection, a server that leaves out its intermediate certificate, or an image without root certificates. GOINSECURE does not help: it never applies to proxies or checksum databases.",
      advice:
        "See who issued it. Install the company's root certificate, or name it in SSL_CERT_FILE; a missing intermediate is the server's to mend.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 的证书不是由受信任的机构签发`,
      why: "可能是企业 TLS 审查、服务器漏发中间证书，或镜像中没有根证书。GOINSECURE 无效：它对代理和校验和数据库不起作用。",
      advice: "先查看签发者。安装企业根证书，或用 SSL_CERT_FILE 指定；缺中间证书应由服务器修复。",
    },
  }),
  GO_ERR_SELF_SIGNED: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the certificate of ${or(host, "the server")} is signed by itself`,
      why: "Nobody else vouches for it. go has no switch that accepts it for a proxy.",
      advice:
        "Name the certificate in SSL_CERT_FILE beside the system's roots, or give the server one that an authority signed.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 的证书是自签名的`,
      why: "没有第三方为它担保。go 没有让代理接受自签名证书的开关。",
      advice: "把该证书与系统根证书一起写入 SSL_CERT_FILE 指定的文件，或换成由机构签发的证书。",
    },
  }),
  GO_ERR_CERT_EXPIRED: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the certificate of ${or(host, "the server")} has expired, or the clock here is ahead`,
      why: "go compares with this machine's clock; a wrong clock makes every certificate expire.",
      advice: "Check the date of this machine first. If it is right, the server's operator must renew the certificate.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 的证书已过期，或本机时钟偏快`,
      why: "go 与本机时钟比较；时钟不准会让所有证书都显得过期。",
      advice: "先检查本机日期。若正确，应由服务器运营者更新证书。",
    },
  }),
  GO_ERR_CERT_NOT_YET: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the certificate of ${or(host, "the server")} is not valid yet: the clock here is behind`,
      why: "A certificate from the future nearly always means a wrong clock: a virtual machine that slept, a board without a battery.",
      advice: "Set the clock, and switch time synchronisation on.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 的证书尚未生效：本机时钟偏慢`,
      why: "“未来”的证书几乎总是因为时钟错误：休眠过的虚拟机，或没有电池的板子。",
      advice: "校准时钟，并开启时间同步。",
    },
  }),
  GO_ERR_CERT_NAME: kind<Said>("fail", page, {
    en: {
      title: ({ host, value }) =>
        `the certificate is for ${or(value, "other names")}, not for ${or(host, "this host")}`,
      why: "Another server answered: a wrong DNS answer, a load balancer without this name, a captive portal. Names in CN alone no longer count.",
      advice: "Look at the address and at the names of the certificate that comes.",
    },
    "zh-CN": {
      title: ({ host, value }) => `证书属于 ${or(value, "其他域名")}，不属于 ${or(host, "该主机")}`,
      why: "应答的是另一台服务器：DNS 结果错误、负载均衡没有此域名，或强制登录页。仅写在 CN 中的名字已不被承认。",
      advice: "查看实际连接的地址和证书中的域名。",
    },
  }),
  GO_ERR_TLS_VERSION: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} offers only TLS versions that go no longer speaks`,
      why: "go needs TLS 1.2 or newer. Old middle boxes and servers stop at 1.0 or 1.1.",
      advice: "The server, or the box in front of it, must be updated.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 只支持 go 已不使用的 TLS 版本`,
      why: "go 至少需要 TLS 1.2。老旧的中间设备或服务器只到 1.0 或 1.1。",
      advice: "需要升级服务器或其前面的设备。",
    },
  }),
  GO_ERR_TLS_ALERT: kind<Said>("fail", page, {
    en: {
      title: ({ host, value }) => `${or(host, "the server")} ended the TLS handshake: ${or(value, "alert")}`,
      why: "The server refused before any request was made: a name it does not serve, ciphers it does not like, a filter in between.",
      advice: "Compare the handshake with and without the server name.",
    },
    "zh-CN": {
      title: ({ host, value }) => `${or(host, "服务器")} 中止了 TLS 握手：${or(value, "警报")}`,
      why: "尚未发出请求就被拒绝：服务器不提供该域名、不接受加密套件，或途中有过滤。",
      advice: "分别带和不带服务器名握手，比较结果。",
    },
  }),
  GO_ERR_CLIENT_CERT: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} wants a client certificate, which go cannot show`,
      why: "go has no setting for client certificates, neither for proxies nor for checksum databases.",
      advice: "Run an agent on this machine that shows the certificate for go, or sign in with a token.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 要求客户端证书，而 go 无法提供`,
      why: "go 没有客户端证书的设置，对代理和校验和数据库都没有。",
      advice: "在本机运行代为出示证书的代理程序，或改用令牌登录。",
    },
  }),
  GO_ERR_NO_ROOTS: kind<Said>("fail", page, {
    en: {
      title: () => "this machine has no root certificates",
      why: "Minimal images come without them, so no server can be trusted.",
      advice: "Install the package ca-certificates, or name a file with roots in SSL_CERT_FILE.",
    },
    "zh-CN": {
      title: () => "本机没有根证书",
      why: "精简镜像不带根证书，因此无法信任任何服务器。",
      advice: "安装 ca-certificates，或用 SSL_CERT_FILE 指定根证书文件。",
    },
  }),
} as const satisfies Area;
