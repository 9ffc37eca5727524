/**
 * What a Java I2P router says, as its source has it: there is no package of it
 * to test with.
 *
 * @module
 */

const HTML = "HTTP/1.1 200 OK\r\nContent-Type: text/html;charset=utf-8\r\n";

/** The console's home page; in German, if asked for. */
export function javaConsole(version: string, language = "en"): string {
  const [console, label] = language === "de"
    ? ["I2P-Routerkonsole", "Version"]
    : ["I2P Router Console", "Version"];
  return `${HTML}Date: ${new Date().toUTCString()}\r
X-Frame-Options: SAMEORIGIN\r
\r
<!DOCTYPE HTML>
<html><head>
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
<link rel="icon" href="/themes/console/light/images/favicon.ico">
<link id="pagestyle" href="/themes/console/light/console.css?${version}" rel="stylesheet" type="text/css">
<title>${console} - home</title>
</head><body>
<div class="routersummaryouter"><div class="routersummary" id="sidebar">
<table id="sb_general"><tr title="The version of the I2P software we are running"><td align="left"><b>${label}:</b></td><td align="right">${version}</td></tr>
<tr title="How long we've been running for this session"><td align="left"><b>Uptime:</b></td><td align="right">3 days</td></tr></table>
</div></div>
<h1>${console}</h1></body></html>
`;
}

/** As of any address of the console but its pages: where its home page is. */
export const javaRedirect =
  "HTTP/1.1 302 Found\r\nLocation: /home\r\nContent-Length: 0\r\n\r\n";

/** The console, with a password set. */
export const javaLocked =
  'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="i2prouter", domain="", nonce="x", algorithm=MD5, qop="auth", stale=false\r\nContent-Length: 0\r\n\r\n';

/** The HTTP proxy, asked for something it does not like; translated. */
export const javaHttpProxy = `HTTP/1.1 403 Access Denied\r
Content-Type: text/html; charset=UTF-8\r
Cache-Control: no-cache\r
Connection: close\r
Proxy-Connection: close\r
\r
<html><head>
<title>I2P-Fehler: Anfrage verweigert</title>
<link rel="shortcut icon" href="http://proxy.i2p/themes/console/images/favicon.ico" >
<link href="http://proxy.i2p/themes/console/default/console.css" rel="stylesheet" type="text/css" >
</head><body><a href="http://127.0.0.1:7657/" title="Router Console">Konsole</a></body></html>
`;

/** The proxy for HTTPS only, asked with GET. */
export const javaConnectProxy = `HTTP/1.1 405 Bad Method\r
Content-Type: text/html; charset=iso-8859-1\r
Connection: close\r
\r
<html><body><H1>I2P ERROR: METHOD NOT ALLOWED</H1>The request uses a bad protocol. The Connect Proxy supports CONNECT requests ONLY.<BR>`;
