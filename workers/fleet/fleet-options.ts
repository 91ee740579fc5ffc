import type { FileBudget } from '../../schemas/host-protocol.ts';

export interface FleetOptions {
  /** Child processes that open files. */
  readonly hosts: number;
  /** More of them that are ready and idle, so that one that dies is replaced at once. */
  readonly spareHosts: number;
  /** Threads in each of them; with one, processor time can be charged to a file exactly (README.md). */
  readonly threadsPerHost: number;
  /** Where unpack hosts may write; every scratch folder given to `unpack` lies in it. Must exist. */
  readonly scratchRoot: string;
  /** Data folder, keys, configuration: what no host may see. Should exist when the fleet starts, or it cannot be hidden. */
  readonly hiddenFolders: readonly string[];
  /** Given to unpack hosts alone, see UnpackTask. */
  readonly unsealingKey: string | null;
  /** 32 bytes in base64: what lies in the scratch folder is encrypted with it. Null: it is not, for who looks at it there. */
  readonly scratchKey: string | null;
  /** What is to be examined: folders and files. */
  readonly readableRoots: readonly string[];
  /** Budget of a file when `examine` is given none. */
  readonly fileBudget: FileBudget;
  /** Archives unpacked at once; each has a host of its own. */
  readonly unpackHosts: number;
  /** A host is replaced after so many files, so that a slow leak in a decoder has an end. */
  readonly recycleAfterFiles: number;
  /** A host that holds more than this after a file is replaced, so that the next file starts from little. */
  readonly recycleAboveBytes: number;
  /** False: do without namespaces even where they can be had. Only tests of that state ask for it. */
  readonly namespaces: boolean;
  /** Another script in place of workers/host/main.ts; only tests of the walls around a host have one. */
  readonly hostEntry: string;
}

export type FleetSettings = Partial<FleetOptions> &
  Pick<FleetOptions, 'scratchRoot' | 'hiddenFolders' | 'readableRoots'>;
