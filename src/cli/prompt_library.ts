/**
 * The prompts that are used. What imports the package as a whole gets all of
 * them into its bundle, with an editor and the alphabets of the world.
 *
 * @module
 */
export { checkbox, confirm, input, password, select } from "@inquirer/prompts";
