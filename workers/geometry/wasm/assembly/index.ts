// Entry points. A picture goes begin -> (luma copied to lumaAt()) -> detect -> (candidates read, indices of the chosen
// written to chosenAt()) -> describe. Two sets of descriptors go beginMatch -> (copied) -> match.

import { describeChosen, RECORD_BYTES } from './describe';
import { candidatesFrom, findExtrema } from './extrema';
import { allocate, resetArena } from './layout';
import { columnsFrom, matchAll, rowsFrom } from './match';
import { buildPyramid } from './pyramid';

let width: i32 = 0;
let height: i32 = 0;
let mostRecords: i32 = 0;
let luma: usize = 0;
let chosen: usize = 0;
let records: usize = 0;
let first: usize = 0;
let second: usize = 0;

/** Lays the memory out for a picture and for at most `most` records of it. */
export function begin(widthPixels: i32, heightPixels: i32, most: i32): void {
  resetArena();
  width = widthPixels;
  height = heightPixels;
  mostRecords = most;
  luma = allocate(<usize>(width * height));
  chosen = allocate((<usize>most) << 2);
  records = allocate(<usize>(most * RECORD_BYTES));
}
export function lumaAt(): usize {
  return luma;
}
/** Where at most `most` int32 indices of candidates are to be written, the most wanted first. */
export function chosenAt(): usize {
  return chosen;
}
export function recordsAt(): usize {
  return records;
}
export function candidatesAt(): usize {
  return candidatesFrom();
}

/** Gives the number of candidates. */
export function detect(doubling: bool, leastContrast: f32): i32 {
  buildPyramid(luma, width, height, doubling);
  return findExtrema(leastContrast);
}
/** Gives the number of records. */
export function describe(count: i32): i32 {
  return describeChosen(candidatesFrom(), chosen, count, records, mostRecords);
}

/** Lays the memory out for two sets of keypoint records of `recordBytes` each. */
export function beginMatch(firstCount: i32, secondCount: i32, recordBytes: i32): void {
  resetArena();
  first = allocate(<usize>(firstCount * recordBytes));
  second = allocate(<usize>(secondCount * recordBytes));
}
export function firstAt(): usize {
  return first;
}
export function secondAt(): usize {
  return second;
}
export function match(firstCount: i32, secondCount: i32, recordBytes: i32, descriptorAt: i32): void {
  matchAll(first + descriptorAt, firstCount, second + descriptorAt, secondCount, recordBytes);
}
export function rowsAt(): usize {
  return rowsFrom();
}
export function columnsAt(): usize {
  return columnsFrom();
}
