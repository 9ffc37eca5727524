/**
 * Starting a profile at login or with the system: what every kind of it has in
 * common.
 *
 * @module
 */

/**
 * Exit codes that starting again cannot mend: wrong usage or profiles.yaml, no
 * such profile, login refused, host key changed.
 */
export const FINAL_EXIT_CODES: readonly number[] = [2, 3, 5, 6];

/** What is to be started, and where its files are. */
export interface AutostartTask {
  /** The profile. */
  name: string;
  /**
   * The executable and its arguments, `profile start NAME`. Where the system
   * watches over the process (systemd, launchd) with `--foreground`: it is told
   * when the tunnel is up, and by the exit code whether to start it again.
   * Elsewhere (Windows) with `--keep-trying`, as nobody would.
   */
  command: string[];
  /** Variables that the command needs to find the same files as now. */
  variables: Record<string, string>;
}

/** A file that the system reads, and how the system is told about it. */
export interface AutostartFile {
  path: string;
  content: string;
}

export interface AutostartStatus {
  /** Starts by itself next time. */
  enabled: boolean;
  /** Runs now, started by the system; left out if that cannot be told. */
  active?: boolean;
}
