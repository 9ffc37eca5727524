/**
 * The page with which a browser of `browse` begins: a file, complete in itself.
 *
 * @module
 */

import { type Entrance, formatAddress } from "./entrance.ts";

/** What the page tells. */
export interface StartPage extends Entrance {
  /** The profile's name. */
  name: string;
  /** `user@host:port`. */
  server: string;
}

/**
 * The page's HTML.
 *
 * Chromium brings what was typed into its address bar and is no address it knows
 * here, as the fragment: an `.i2p` name goes on to its site, words go nowhere.
 */
export function startPage(page: StartPage): string {
  const consoles = page.consoles.map((url) =>
    `      <li><a href="${escape(url)}">The router's console</a>, ${
      escape(url)
    }</li>\n`
  ).join("");
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
    <title>I2P through ${escape(page.name)}</title>
    <style>
      body { font: 1.1em/1.5 system-ui, sans-serif; max-width: 36em; margin: 3em auto; padding: 0 1em }
    </style>
  </head>
  <body>
    <h1>I2P through ${escape(page.name)}</h1>
    <p id="typed" role="status" hidden>
      Searching is off here. Type a whole address, such as
      <kbd>http://i2p-projekt.i2p/</kbd>
    </p>
    <p>
      Whatever this browser asks for goes through the tunnel to
      <strong>${escape(page.server)}</strong> and the I2P router's proxy there
      (here at ${
    escape(formatAddress(page.proxy))
  }), or nowhere. When the tunnel
      is down, nothing loads.
    </p>
    <ul>
${consoles}      <li><a href="http://i2p-projekt.i2p/">The I2P project</a>, inside I2P</li>
    </ul>
    <p>
      A router that has just started needs some minutes before sites load, and
      the first visit to each takes a while.
    </p>
    <script>
      function take() {
        let typed = "";
        try {
          typed = decodeURIComponent(location.hash.slice(1).replace(/\\+/g, " "));
        } catch {}
        if (/^[a-z0-9.-]+\\.i2p(?::\\d+)?(?:[/?#]\\S*)?$/i.test(typed)) {
          location.replace("http://" + typed);
        }
        document.getElementById("typed").hidden = typed === "";
      }
      addEventListener("hashchange", take);
      take();
    </script>
  </body>
</html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
