/**
 * The questions that make a profile, in the order in which a person knows the
 * answers; the connection is tried meanwhile, so that a wrong answer is asked
 * for again at once. Escape leads one question back, and what was typed stays.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Found } from "../i2p/discover.ts";
import { type ServiceName, serviceUrl } from "../i2p/services.ts";
import type { Profile } from "../profile/profile.ts";
import {
  formatServerAddress,
  parseServerAddress,
} from "../profile/server_address.ts";
import { startProfiles } from "./commands/start.ts";
import type { Context } from "./context.ts";
import {
  type Draft,
  forgetDraft,
  isBegun,
  keepDraft,
  loadDraft,
} from "./draft.ts";
import { addressOf, hasUser, logIn } from "./first_login.ts";
import { Back } from "./interruption.ts";
import { offerKey } from "./key_offer.ts";
import { say, sayError, styles } from "./output.ts";
import { askOne, askSome, terminalPrompter } from "./prompts.ts";
import {
  askKeyFile,
  askName,
  askServer,
  askUser,
  type Typed,
} from "./questions.ts";
import { RememberedAnswers } from "./remembered_answers.ts";
import { forwardsOf, serviceChoices } from "./service_choice.ts";

const WELCOME = [
  "Welcome to i2ptun. It brings the I2P router on your server to this computer.",
  "You need the server's address, and the user name and password, or the key,",
  "with which you log in there.",
];

const GOING_ON = "What you typed the last time stands there again.";
const KEPT = "What you typed is kept, but for passwords: you can go on later.";

const NO_SERVICES = [
  "No I2P service answers on the server now; perhaps the router is not running.",
  "You can choose all the same, and start the router later.",
];

/**
 * Asks, adds the profile, starts it, and opens its first page in the browser.
 *
 * @returns the profile's name; undefined if the person went back before the
 *   first question
 * @throws {I2ptunError} `interrupted` after Ctrl-C
 */
export async function addServer(
  context: Context,
  { welcome }: { welcome: boolean },
): Promise<string | undefined> {
  const draft = await loadDraft(context.paths);
  if (welcome) WELCOME.forEach((line) => say(line));
  if (isBegun(draft)) say(GOING_ON);
  say(styles.dim("Esc leads one question back, Ctrl-C out."));
  say("");
  const answers = new RememberedAnswers(terminalPrompter());
  let isSaved = false;
  try {
    isSaved = await askAll(draft, answers, context);
  } finally {
    if (!isSaved && isBegun(draft)) {
      await keepDraft(draft, context.paths);
      say(KEPT);
    }
  }
  if (!isSaved) return undefined;
  await forgetDraft(context.paths);
  const { name } = draft;
  try {
    await startProfiles([await context.store.get(name)], {
      ask: answers.prompter(),
      open: draft.services?.some((each) => isPage(each)) ?? false,
    }, context);
  } catch (thrown) {
    const error = I2ptunError.from(thrown);
    if (error.kind !== "interrupted") sayError(error, context.debug);
    say(`${name} is saved, and can be started from the menu.`);
    return name;
  }
  say("");
  if (answers.hasPassword) {
    await offerKey(name, answers.prompter(), context);
    say("");
  }
  return name;
}

function isPage(service: ServiceName): boolean {
  return serviceUrl(service, "127.0.0.1") !== undefined;
}

/** The questions, as the steps of a path that can be walked back. */
type Step = "server" | "user" | "login" | "services" | "name";

/** @returns whether all were answered and the profile is saved */
async function askAll(
  draft: Draft,
  answers: RememberedAnswers,
  context: Context,
): Promise<boolean> {
  let found: Found[] = [];
  const steps: Record<Step, () => Promise<Step | "saved">> = {
    server: async () => {
      const before = draft.server;
      draft.server = await goOn(draft, "server", before, askServer);
      if (draft.server !== before) draft.services = undefined;
      return "user";
    },
    user: async () => {
      if (await hasUser(draft, context)) draft.user = "";
      else {
        draft.user = await goOn(
          draft,
          "user",
          draft.user,
          (typed) => askUser(typed, context.environment),
        );
      }
      return "login";
    },
    login: async () => {
      found = await logIn(draft, answers, context).catch((error) => {
        answers.forget();
        throw error;
      });
      return "services";
    },
    services: async () => {
      if (!found.some(({ state }) => state === "found")) {
        NO_SERVICES.forEach((line) => say(line));
      }
      draft.services = await askSome(
        "Which services of the router do you want here?",
        serviceChoices(found, draft.services),
      );
      return "name";
    },
    name: async () => {
      // what is wrong with the file is said when it is written
      const profiles = await context.store.load().catch((): Profile[] => []);
      const { host } = parseServerAddress(draft.server);
      const taken = profiles.map(({ name }) => name);
      draft.name = await goOn(
        draft,
        "name",
        draft.name,
        (typed) => askName(typed, host, taken),
      );
      await save(draft, context);
      return "saved";
    },
  };
  for (let step: Step = "server";;) {
    try {
      const next: Step | "saved" = await steps[step]();
      if (next === "saved") return true;
      await keepDraft(draft, context.paths);
      step = next;
    } catch (thrown) {
      const error = I2ptunError.from(thrown);
      const isBack = error instanceof Back;
      if (error.kind === "interrupted" && !isBack) throw error;
      if (!isBack) sayError(error, context.debug);
      const before: Step | undefined = isBack
        ? await stepBefore(step, draft, context)
        : await stepAfter(error, step, draft, context);
      if (before === undefined) return false;
      step = before;
    }
  }
}

/** Asks with what was typed there before, and keeps what is left half typed. */
async function goOn(
  { halfTyped }: Draft,
  question: keyof Draft["halfTyped"],
  answered: string,
  ask: (typed: Typed) => Promise<string>,
): Promise<string> {
  const answer = await ask({
    typed: halfTyped[question] ?? answered,
    onLeft: (text) => halfTyped[question] = text,
  });
  delete halfTyped[question];
  return answer;
}

/** Where Escape leads; undefined is out. */
async function stepBefore(
  step: Step,
  draft: Draft,
  context: Context,
): Promise<Step | undefined> {
  switch (step) {
    case "server":
      return undefined;
    case "user":
      return "server";
    case "login":
    case "services":
      return await hasUser(draft, context).catch(() => true)
        ? "server"
        : "user";
    case "name":
      return "services";
  }
}

/** Where to go on after a failure, whose reason was said. */
async function stepAfter(
  error: I2ptunError,
  step: Step,
  draft: Draft,
  { environment }: Context,
): Promise<Step> {
  if (step === "user") return "server";
  if (step !== "login") return step;
  if (error.kind !== "login-refused") return "server";
  try {
    const way = await askOne("How do you want to go on?", [
      { value: "login", name: "Try the password again" },
      { value: "key", name: "Log in with a key file" },
      { value: "server", name: "Another user or server" },
    ]);
    if (way !== "key") return way as Step;
    const keyFile = await goOn(
      draft,
      "keyFile",
      draft.identity[0] ?? "",
      (typed) => askKeyFile(typed, environment),
    );
    draft.identity = [keyFile];
    return "login";
  } catch (error) {
    if (error instanceof Back) return "server";
    throw error;
  }
}

async function save(draft: Draft, context: Context): Promise<void> {
  const { identity } = draft;
  await context.store.add(draft.name, {
    server: formatServerAddress(addressOf(draft)),
    ...(identity.length === 0 ? {} : { identity }),
    forwards: await forwardsOf(draft.services ?? [], context),
  });
}
