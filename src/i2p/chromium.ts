/**
 * A Chromium profile that knows no way out but the I2P proxy. What must hold is
 * on the command line, which goes before all settings; what has no argument is
 * in the profile's preferences. Sources: Chromium's switches and pref_names, and
 * its net/docs/proxy.md.
 *
 * @module
 */

import { type Entrance, formatAddress } from "./entrance.ts";

/** Features that send, or listen for, something by themselves. */
const FEATURES_OFF = [
  "AsyncDns",
  "AutofillServerCommunication",
  "CertificateTransparencyComponentUpdater",
  "DialMediaRouteProvider",
  "DnsOverHttpsUpgrade",
  "GlobalMediaControlsCastStartStop",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "InterestFeedContentSuggestions",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "OptimizationHintsFetching",
  "OptimizationGuideModelDownloading",
  "PreconnectToSearch",
  "PrivacySandboxSettings4",
  "SegmentationPlatform",
  "Translate",
  "UseDnsHttpsSvcb",
  "WebRtcHideLocalIpsWithMdns",
];

/** The arguments that start Chromium with the profile in `folder`. */
export function chromiumArguments(
  folder: string,
  url: string,
  { proxy, consoles }: Entrance,
): string[] {
  const scheme = proxy.kind === "http" ? "http" : "socks5";
  const addresses = [proxy.host, ...consoles.map((url) => hostOf(url))];
  return [
    `--user-data-dir=${folder}`,
    `--proxy-server=${scheme}://${formatAddress(proxy)}`,
    // without <-loopback> a page gets at whatever listens on this machine
    `--proxy-bypass-list=${
      ["<-loopback>", ...consoles.map((url) => new URL(url).host)].join(";")
    }`,
    // whatever does not ask the proxy finds no address to connect to
    `--host-resolver-rules=${
      [
        "MAP * ~NOTFOUND",
        ...new Set(addresses.map((host) => `EXCLUDE ${host}`)),
      ].join(", ")
    }`,
    // UDP knows no HTTP proxy
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    // an extension could choose another proxy
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    `--disable-features=${FEATURES_OFF.join(",")}`,
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    url,
  ];
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** A setting, or settings below a name. */
export interface Settings {
  [name: string]: string | number | boolean | Settings;
}

/**
 * The profile's files that hold settings, by name. Chromium keeps more in them,
 * which is to stay. @param start the URL of the start page
 */
export function chromiumSettings(start: string): Record<string, Settings> {
  return {
    "Local State": {
      background_mode: { enabled: false },
      dns_over_https: { mode: "off", templates: "" },
      user_experience_metrics: { reporting_enabled: false },
    },
    "Default/Preferences": {
      alternate_error_pages: { enabled: false },
      browser: {
        check_default_browser: false,
        enable_spellchecking: false,
        show_home_button: true,
      },
      // words that are typed stay here, see start_page.ts
      default_search_provider_data: {
        template_url_data: {
          id: "1",
          keyword: "i2ptun",
          short_name: "nothing",
          prepopulate_id: 0,
          safe_for_autoreplace: false,
          suggestions_url: "",
          synced_guid: "6d5cc5b1-9c0c-4c9b-8f36-2f6a1f6f1c40",
          url: `${start}#{searchTerms}`,
        },
      },
      dns_prefetching: { enabled: false },
      homepage: start,
      homepage_is_newtabpage: false,
      https_only_mode_enabled: false,
      media_router: { enable_media_router: false },
      net: { network_prediction_options: 2 },
      payments: { can_make_payment_enabled: false },
      safebrowsing: { enabled: false, enhanced: false },
      search: { suggest_enabled: false },
      signin: { allowed: false, allowed_on_next_startup: false },
      spellcheck: { use_spelling_service: false },
      translate: { enabled: false },
      webrtc: {
        ip_handling_policy: "disable_non_proxied_udp",
        multiple_routes_enabled: false,
        nonproxied_udp_enabled: false,
      },
    },
  };
}
