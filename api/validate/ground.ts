import type { UnpackResult } from '../../engine/ingest/ports.ts';
import type { Db } from '../../engine/store/db.ts';
import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { ArchiveBudget, ArchiveEntry, FileBudget } from '../../schemas/host-protocol.ts';
import type { SandboxState } from '../../schemas/report.ts';
import type { DrawnPicture } from '../../schemas/validation.ts';

/** The real hosts, as far as they are tried here. */
export interface HostsUnderTest extends AsyncDisposable {
  readonly sandbox: SandboxState;
  decoders(): Promise<readonly string[]>;
  readonly capacity: number;
  examine(path: Buffer, options: { readonly mode: DecodeMode; readonly budget?: FileBudget }): Promise<Examination>;
  unpack(
    path: Buffer,
    options: { readonly scratchFolder: string; readonly budget: ArchiveBudget; readonly signal?: AbortSignal },
    onEntry: (entry: ArchiveEntry) => Promise<void>,
  ): Promise<UnpackResult>;
  stats(): {
    readonly slowestReturnMs: number;
    readonly hostsCrashed: number;
    readonly retriedAlone: number;
    readonly hosts: readonly {
      readonly kind: string;
      readonly processId: number | undefined;
      readonly ready: boolean;
      readonly inFlight: number;
    }[];
  };
}

/** What every case stands on: a private temporary folder, real hosts, real databases in it. Nothing of the unit's own is in reach. */
export interface Ground {
  /** Private and temporary; cases make folders of their own in it. */
  readonly folder: string;
  readonly picturesFolder: string;
  readonly pictures: readonly DrawnPicture[];
  /** Inside it archives are unpacked. */
  readonly scratchFolder: string;
  /** Stands where the unit's data folder would: hosts must not see it. */
  readonly hiddenFolder: string;
  /** Two hosts of one thread. */
  readonly hosts: HostsUnderTest;
  /** Other hosts over the same folders. */
  startHosts(hosts: number, threadsPerHost: number): Promise<HostsUnderTest>;
  openDatabase(dataFolder: string): Promise<Db>;
  /** The same command line in a process of its own, over a data folder. */
  runHomeward(args: readonly string[]): Promise<{ readonly exitCode: number | null; readonly stderr: string }>;
  /** A folder with vectors.json and the pictures it names. */
  readonly vectorsFolder: string | null;
  readonly heicFile: string | null;
}
