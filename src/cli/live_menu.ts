/**
 * A menu whose lines follow what happens while it is shown, and a page that is
 * left with any key.
 *
 * @module
 */

import {
  createPrompt,
  isDownKey,
  isEnterKey,
  isUpKey,
  useEffect,
  useKeypress,
  usePagination,
  useState,
} from "@inquirer/core";
import { clearScreen, screenSize, SIGNS, styles } from "./output.ts";
import { prompted } from "./prompts.ts";
import { onResize } from "./resize.ts";
import { fitTo } from "./table.ts";

/** What a menu shows at one moment. */
export interface MenuView {
  /** Lines above the choices. */
  header: string[];
  /** At least one. */
  choices: { value: string; label: string }[];
}

interface MenuConfig {
  first: MenuView;
  look: () => Promise<MenuView>;
  /** The choice it begins at. */
  at: string | undefined;
  /** What the keys do, in one line. */
  hint: string;
}

const REFRESH_MS = 1000;

/** Takes the place of what is not a choice to look at any more. */
const CURSOR_HIDE = "\x1b[?25l";

const menuPrompt = createPrompt<string, MenuConfig>((config, done) => {
  const [view, setView] = useState(config.first);
  const [at, setAt] = useState({ value: config.at, index: 0 });
  const { choices } = view;
  const found = choices.findIndex(({ value }) => value === at.value);
  // a choice that has gone leaves the cursor where it was
  const index = found >= 0 ? found : Math.min(at.index, choices.length - 1);

  useEffect(() => {
    let shown = true;
    let last = JSON.stringify(config.first);
    let timer: ReturnType<typeof setTimeout>;
    const refresh = async () => {
      const next = await config.look();
      if (!shown) return;
      const text = JSON.stringify(next);
      if (text !== last) setView(next);
      last = text;
      timer = setTimeout(refresh, REFRESH_MS);
    };
    timer = setTimeout(refresh, REFRESH_MS);
    return () => {
      shown = false;
      clearTimeout(timer);
    };
  }, []);

  const [size, setSize] = useState(screenSize());
  useEffect(() =>
    // where the terminal has put the lines meanwhile nobody knows
    onResize(size, (changed) => {
      clearScreen();
      setSize(changed);
    }), []);

  useKeypress((key) => {
    if (isEnterKey(key)) return done(choices[index]!.value);
    const step = isUpKey(key, ["vim"]) ? -1 : isDownKey(key, ["vim"]) ? 1 : 0;
    if (step === 0) return;
    const next = (index + step + choices.length) % choices.length;
    setAt({ value: choices[next]!.value, index: next });
  });

  const { columns, rows } = size;
  const fit = (line: string) => fitTo(line, columns - 1);
  // the last line is the hint, before it a blank one, as after the header
  const header = view.header.slice(0, Math.max(0, rows - 7)).map(fit);
  const page = usePagination({
    items: choices,
    active: index,
    pageSize: rows - header.length - 4,
    loop: false,
    renderItem: ({ item, isActive }) =>
      fit(
        isActive
          ? `${styles.green(SIGNS.pointer)} ${item.label}`
          : `  ${item.label}`,
      ),
  });
  return [...header, "", page, "", styles.dim(fit(config.hint))].join("\n") +
    CURSOR_HIDE;
});

/**
 * Shows a menu until something is chosen, and takes it away.
 *
 * @param look gives what there is to show now; it must not throw
 * @throws {Back} if Escape was pressed
 * @throws {I2ptunError} `interrupted` if Ctrl-C was
 */
export async function liveMenu(
  look: () => Promise<MenuView>,
  options: { at?: string | undefined; hint: string },
): Promise<string> {
  const first = await look();
  return await prompted((context) =>
    menuPrompt(
      { first, look, at: options.at, hint: options.hint },
      { ...context, clearPromptOnDone: true },
    )
  );
}

const pagePrompt = createPrompt<void, { lines: string[]; hint: string }>(
  ({ lines, hint }, done) => {
    useKeypress(() => done());
    return [...lines, styles.dim(hint)].join("\n") + CURSOR_HIDE;
  },
);

/** Shows lines that fit the screen until any key is pressed. */
export async function anyKey(hint: string, lines: string[] = []) {
  await prompted((context) =>
    pagePrompt({ lines, hint }, { ...context, clearPromptOnDone: true })
  );
}
