/**
 * importing: being staged. held: staged whole, waits for a person. active: in force, and so searched. superseded: a newer version of it is
 * in force. removed: taken out of force, nothing in its place.
 */
export const SET_STATES = ['importing', 'held', 'active', 'superseded', 'removed'] as const;

/**
 * known: material of series. good: files that are nobody's evidence. negative: pictures that perceptual hashes were found to confuse with
 * known ones; near one of these a perceptual hit is contradicted.
 */
export const SET_PURPOSES = ['known', 'good', 'negative'] as const;
export type SetPurpose = (typeof SET_PURPOSES)[number];
