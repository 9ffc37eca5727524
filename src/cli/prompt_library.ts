/**
 * The prompts that are used, in one piece of the bundle. Their collection,
 * @inquirer/prompts, would bring an editor and the alphabets of the world.
 *
 * @module
 */
export { default as checkbox } from "@inquirer/checkbox";
export { default as confirm } from "@inquirer/confirm";
export { default as input } from "@inquirer/input";
export { default as password } from "@inquirer/password";
export { default as select } from "@inquirer/select";
