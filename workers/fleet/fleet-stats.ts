export type HostKind = 'picture' | 'model' | 'isolation' | 'unpack';

export interface HostStats {
  readonly kind: HostKind;
  readonly processId: number | undefined;
  readonly ready: boolean;
  readonly inFlight: number;
  readonly filesDone: number;
}

/** Counts since the fleet started. */
export interface FleetCounts {
  examined: number;
  /** Files that were in a host that died, tried again by themselves. */
  retriedAlone: number;
  hostsStarted: number;
  /** By themselves: a signal, an exit, an answer outside the protocol. */
  hostsCrashed: number;
  /** By us, for a limit. */
  hostsEndedForLimit: number;
  hostsRecycled: number;
  /** The longest time, after all were up once, that fewer hosts than configured could take files. */
  slowestReturnMs: number;
  peakHostBytes: number;
}

export interface FleetStats extends Readonly<FleetCounts> {
  readonly queued: number;
  readonly inFlight: number;
  readonly hosts: readonly HostStats[];
}

export const noCounts = (): FleetCounts => ({
  examined: 0,
  retriedAlone: 0,
  hostsStarted: 0,
  hostsCrashed: 0,
  hostsEndedForLimit: 0,
  hostsRecycled: 0,
  slowestReturnMs: 0,
  peakHostBytes: 0,
});
