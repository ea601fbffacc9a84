/** The longest name and message, in UTF-16 units, as an input's `maxlength` counts them. */
export const MAX_NAME = 40;
export const MAX_MESSAGE = 1000;
