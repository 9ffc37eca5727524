/**
 * A Firefox profile that knows no way out but the I2P proxy: preferences in
 * `user.js`, which Firefox reads at each start and takes over all others. What
 * they mean is in Firefox's StaticPrefList.yaml, all.js and firefox.js.
 *
 * @module
 */

import type { Entrance } from "./entrance.ts";

type Preferences = Record<string, string | number | boolean>;

/** The arguments that start Firefox with the profile in `folder`. */
export function firefoxArguments(folder: string, url: string): string[] {
  return ["--profile", folder, url];
}

/** The profile's files, by name. @param start the URL of the start page */
export function firefoxFiles(
  entrance: Entrance,
  start: string,
): Record<string, string> {
  const preferences = {
    ...proxy(entrance),
    ...NO_WAY_PAST_THE_PROXY,
    ...NO_LOOKUPS,
    ...NO_GUESSING,
    ...NOTHING_BY_ITSELF,
    ...AS_I2P_IS,
    "browser.startup.homepage": start,
  };
  const lines = Object.entries(preferences).map(([name, value]) =>
    `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`
  );
  return {
    "user.js": "// Written anew by i2ptun browse.\n" + lines.join(""),
  };
}

function proxy({ proxy, consoles }: Entrance): Preferences {
  const http = proxy.kind === "http";
  const [httpHost, httpPort] = http ? [proxy.host, proxy.port] : ["", 0];
  const [socksHost, socksPort] = http ? ["", 0] : [proxy.host, proxy.port];
  return {
    "network.proxy.type": 1,
    "network.proxy.http": httpHost,
    "network.proxy.http_port": httpPort,
    "network.proxy.ssl": httpHost,
    "network.proxy.ssl_port": httpPort,
    "network.proxy.share_proxy_settings": http,
    "network.proxy.socks": socksHost,
    "network.proxy.socks_port": socksPort,
    "network.proxy.socks_version": 5,
    "network.proxy.socks_remote_dns": true,
    // the same, for version 5, in newer ones
    "network.proxy.socks5_remote_dns": true,
    "network.proxy.no_proxies_on": consoles.map((url) => new URL(url).host)
      .join(", "),
  };
}

const NO_WAY_PAST_THE_PROXY: Preferences = {
  "network.proxy.failover_direct": false,
  // else Firefox's own requests may leave it out when it fails
  "network.proxy.allow_bypass": false,
  // else a page gets at whatever listens on this machine
  "network.proxy.allow_hijacking_localhost": true,
  // UDP knows no HTTP proxy
  "media.peerconnection.enabled": false,
  "network.http.http3.enable": false,
  "network.webtransport.enabled": false,
  // files of Windows shares, and what GNOME opens
  "network.file.disable_unc_paths": true,
  "network.gio.supported-protocols": "",
  // other programs do not have this proxy
  "network.protocol-handler.external-default": false,
};

const NO_LOOKUPS: Preferences = {
  "network.dns.disabled": true,
  "network.dns.disablePrefetch": true,
  "network.dns.disablePrefetchFromHTTPS": true,
  "network.dns.native_https_query": false,
  "network.dns.upgrade_with_https_rr": false,
  "network.dns.use_https_rr_as_altsvc": false,
  "network.dns.echconfig.enabled": false,
  // 5: DNS over HTTPS is off by choice
  "network.trr.mode": 5,
  "doh-rollout.disable-heuristics": true,
  "browser.urlbar.dnsResolveSingleWordsAfterSearch": 0,
};

const NO_GUESSING: Preferences = {
  "network.prefetch-next": false,
  "network.predictor.enabled": false,
  "network.http.speculative-parallel-limit": 0,
  "network.preconnect": false,
  "network.early-hints.enabled": false,
  "browser.places.speculativeConnect.enabled": false,
  "browser.urlbar.speculativeConnect.enabled": false,
  // words that are typed stay here
  "keyword.enabled": false,
  "browser.search.suggest.enabled": false,
  "browser.search.suggest.enabled.private": false,
  "browser.search.update": false,
  "browser.urlbar.suggest.searches": false,
  "browser.urlbar.suggest.engines": false,
  "browser.urlbar.suggest.quicksuggest.all": false,
  "browser.urlbar.suggest.quicksuggest.nonsponsored": false,
  "browser.urlbar.suggest.quicksuggest.sponsored": false,
  "browser.urlbar.quicksuggest.enabled": false,
  "browser.urlbar.trending.featureGate": false,
  "browser.urlbar.suggest.trending": false,
  "browser.urlbar.merino.enabled": false,
  "browser.fixup.alternate.enabled": false,
};

/** Firefox's requests of its own would only get stuck in the router. */
const NOTHING_BY_ITSELF: Preferences = {
  "app.normandy.enabled": false,
  "app.shield.optoutstudies.enabled": false,
  "app.update.auto": false,
  "app.update.background.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.discovery.enabled": false,
  "browser.newtabpage.enabled": false,
  "browser.newtabpage.activity-stream.feeds.section.topstories": false,
  "browser.newtabpage.activity-stream.feeds.topsites": false,
  "browser.newtabpage.activity-stream.feeds.weatherfeed": false,
  "browser.newtabpage.activity-stream.showSponsored": false,
  "browser.newtabpage.activity-stream.showSponsoredTopSites": false,
  "browser.newtabpage.activity-stream.telemetry": false,
  "browser.newtabpage.activity-stream.asrouter.userprefs.cfr.addons": false,
  "browser.newtabpage.activity-stream.asrouter.userprefs.cfr.features": false,
  "browser.ml.enable": false,
  "browser.region.network.url": "",
  "browser.region.update.enabled": false,
  "browser.safebrowsing.blockedURIs.enabled": false,
  "browser.safebrowsing.downloads.enabled": false,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.safebrowsing.provider.google4.updateURL": "",
  "browser.safebrowsing.provider.google5.updateURL": "",
  "browser.safebrowsing.provider.mozilla.updateURL": "",
  "browser.safebrowsing.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "browser.startup.page": 1,
  "browser.tabs.crashReporting.sendReport": false,
  "browser.topsites.contile.enabled": false,
  "browser.topsites.useRemoteSetting": false,
  "datareporting.healthreport.uploadEnabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "datareporting.usage.uploadEnabled": false,
  "dom.push.enabled": false,
  "dom.push.connection.enabled": false,
  "dom.private-attribution.submission.enabled": false,
  "extensions.blocklist.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "extensions.getAddons.showPane": false,
  "extensions.htmlaboutaddons.recommendations.enabled": false,
  "extensions.systemAddon.update.enabled": false,
  "extensions.systemAddon.update.url": "",
  "extensions.update.autoUpdateDefault": false,
  "extensions.update.enabled": false,
  "geo.enabled": false,
  "identity.fxaccounts.enabled": false,
  "media.gmp-manager.updateEnabled": false,
  "media.gmp-manager.url": "",
  "media.gmp-provider.enabled": false,
  "messaging-system.rsexperimentloader.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.notify.checkForProxies": false,
  "nimbus.rollouts.enabled": false,
  "security.OCSP.enabled": 0,
  "security.remote_settings.crlite_filters.enabled": false,
  "security.remote_settings.intermediates.enabled": false,
  "services.settings.poll_interval": 0x7fffffff,
  "signon.firefoxRelay.feature": "disabled",
  "toolkit.coverage.endpoint.base": "",
  "toolkit.coverage.opt-out": true,
  "toolkit.telemetry.archive.enabled": false,
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.reportingpolicy.firstRun": false,
  "toolkit.telemetry.server": "data:,",
  "toolkit.telemetry.unified": false,
  "trailhead.firstrun.didSeeAboutWelcome": true,
};

/** I2P sites have no TLS, and names that Firefox does not know for names. */
const AS_I2P_IS: Preferences = {
  "browser.fixup.domainsuffixwhitelist.i2p": true,
  "browser.fixup.fallback-to-https": false,
  "dom.security.https_first": false,
  "dom.security.https_first_schemeless": false,
  "dom.security.https_only_mode": false,
  "network.IDN_show_punycode": true,
};
