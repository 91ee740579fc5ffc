/** Distances of unrelated pictures, as `bench/calibration.ts` measured them; the data are named there and in its result. */
export interface Calibration {
  readonly meanBits: number;
  readonly standardDeviationBits: number;
  readonly smallestBits: number;
  readonly comparisons: number;
}

export const CALIBRATED_ALGORITHMS = ['pdq-512', 'pdq-full', 'blockhash-256-r512'] as const;
export type CalibratedAlgorithm = (typeof CALIBRATED_ALGORITHMS)[number];

export const CALIBRATION: Readonly<Record<CalibratedAlgorithm, Calibration>> = {
  'pdq-512': { meanBits: 127.94, standardDeviationBits: 8.12, smallestBits: 86, comparisons: 129160 },
  'pdq-full': { meanBits: 127.95, standardDeviationBits: 8.15, smallestBits: 86, comparisons: 129160 },
  'blockhash-256-r512': { meanBits: 123.59, standardDeviationBits: 21.21, smallestBits: 34, comparisons: 16145 },
};
