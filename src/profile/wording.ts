/**
 * What is wrong with a value of profiles.yaml, in the words of its user.
 *
 * @module
 */

import { SERVICE_NAMES } from "../i2p/services.ts";
import { nearest } from "./nearest.ts";

/** Keys that people try for what has its place in "server". */
const OF_SERVER = ["user", "host", "hostname", "port"];

/** `key must be shape, not …` for a value of the wrong type. */
export function wrongType(key: string, shape: string, value: unknown): string {
  if (value === undefined) return `${key} is missing; it must be ${shape}`;
  if (value === null) return `${key} is empty; it must be ${shape}`;
  const wantsText = typeof value !== "object" && /\btext\b|\[user@/.test(shape);
  return `${key} must be ${shape}, not ${plainType(value)}` +
    (wantsText ? " (put it in quotes)" : "");
}

/** Why `key` is no key where only `known` are, with the nearest of them. */
export function unknownKey(key: string, known: readonly string[]): string {
  if (/pass(word|phrase|wd)/i.test(key)) {
    return `"${key}" is refused: secrets are never kept on disk; it is asked ` +
      "for at start, or read with --password-stdin; better, use a key";
  }
  const start = `unknown key "${key}"; `;
  if (known.includes("server") && OF_SERVER.includes(key.toLowerCase())) {
    return start + 'it belongs in "server", as user@host:port';
  }
  const near = nearest(key, known);
  return start +
    (near ? `did you mean "${near}"?` : `known here: ${known.join(", ")}`);
}

/** Why `value` is no forward. */
export function notAForward(value: unknown): string {
  const shape = "the name of a service or a mapping like " +
    '{ local: "8080:127.0.0.1:7657" }';
  if (typeof value !== "string") return wrongType("a forward", shape, value);
  return /^[\d[*:]|[:/]/.test(value)
    ? `a forward in text is the name of a service; write { local: "${value}" }`
    : unknownService(value);
}

/** Why `value` is not the name of an I2P service, with the nearest of them. */
export function unknownService(value: unknown): string {
  if (typeof value !== "string") {
    return wrongType("service", 'text such as "console"', value);
  }
  const near = nearest(value, SERVICE_NAMES);
  return `unknown service "${value}"; ` +
    (near ? `did you mean "${near}"?` : `known: ${SERVICE_NAMES.join(", ")}`);
}

function plainType(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return "a number";
    case "boolean":
      return `${value}`;
    default:
      return "a mapping";
  }
}
