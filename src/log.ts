/** What a room tells about what it does; who writes it where is not its business. */
export type LogLevel = "debug" | "info" | "warning" | "error";
export type Log = (level: LogLevel, message: string) => void;
