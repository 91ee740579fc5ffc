/**
 * importing: being staged. held: staged whole, waits for a person. active: in force, and so searched. superseded: a newer version of it is
 * in force. removed: taken out of force, nothing in its place.
 */
export const SET_STATES = ['importing', 'held', 'active', 'superseded', 'removed'] as const;
