import { type ChildProcess, spawn } from 'node:child_process';
import { isHostMessage } from '../../schemas/checks/is-host-message.ts';
import type { HostMessage, HostTask } from '../../schemas/host-protocol.ts';
import type { LaunchCommand } from './launch-command.ts';
import { ProcessUsage, type Usage } from './process-usage.ts';

const STDERR_KEPT = 2000;
const LEAVE_MS = 1000;
/** Messages can arrive after the exit; the channel closes right behind it. */
const DRAIN_MS = 250;

export interface HostEnd {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** What it said that it may not say, or null. */
  readonly violation: string | null;
  /** The first error it printed, for a host that never became ready; may hold paths, so it goes into no record. */
  readonly complaint: string;
}

export interface HostObserver {
  message(message: HostMessage): void;
  ended(end: HostEnd): void;
}

/** The line that names the error, without the stack around it. */
function complaintIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.find((line) => line !== '') ?? '').slice(0, 300);
}

/**
 * Where a message leaves the protocol: of the kind it claims to be, since it differs from every other kind as well.
 * Loads TypeBox, which nothing else here needs.
 */
async function firstFault(message: unknown): Promise<string> {
  const { HostMessage } = await import('../../schemas/host-protocol.ts');
  const { Compile } = await import('typebox/compile');
  const kind = typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;
  const meant = HostMessage.anyOf.find((schema) => schema.properties.kind.const === kind);
  const [fault] = meant === undefined ? [] : Compile(meant).Errors(message);
  return fault?.instancePath || '/';
}

/** Says in a few words how a host ended, for a record's detail. */
export function describeEnd(end: HostEnd): string {
  if (end.violation !== null) return end.violation;
  return end.signal === null ? `exit code ${end.code}` : end.signal;
}

/** One child process. Every message is checked against the protocol; a host that says anything else is ended. */
export class HostProcess {
  readonly startedAtMs = performance.now();
  readonly #child: ChildProcess;
  #observer: HostObserver = { message: () => undefined, ended: () => undefined };
  readonly #usage: ProcessUsage | null;
  #violation: string | null = null;
  /** Until it is said where a message left the protocol. */
  #naming: Promise<void> = Promise.resolve();
  #stderr = '';
  #killed = false;
  #leaving = false;
  #exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  #ended = false;

  constructor(command: LaunchCommand, workingFolder: string) {
    this.#child = spawn(command.program, command.args, {
      cwd: workingFolder,
      env: command.environment,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
      windowsHide: true,
    });
    this.#usage = this.#child.pid === undefined ? null : new ProcessUsage(this.#child.pid);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, STDERR_KEPT);
    });
    this.#child.on('message', (message) => this.#received(message));
    this.#child.on('error', (error) => {
      this.#stderr += error.message;
      if (this.#child.pid === undefined) this.#gone(null, null);
    });
    this.#child.on('exit', (code, signal) => this.#gone(code, signal));
    this.#child.on('disconnect', () => {
      // A host without a channel can neither be given work nor answer.
      if (this.#exit !== null) this.#finish();
      else if (!this.#leaving) this.kill();
    });
  }

  /** Who hears of it from now on; nothing is told before the current turn of the event loop is over. */
  observe(observer: HostObserver): void {
    this.#observer = observer;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  usage(): Usage | null {
    return this.#usage?.read() ?? null;
  }

  send(task: HostTask): void {
    if (this.#child.connected) this.#child.send(task, () => undefined);
  }

  /** Ends it at once; `ended` is told when it is gone. */
  kill(): void {
    this.#killed = true;
    this.#child.kill('SIGKILL');
  }

  /** Lets it leave by itself, as when the supervisor is gone, and ends it if it does not. */
  leave(): void {
    this.#leaving = true;
    if (this.#child.connected) this.#child.disconnect();
    setTimeout(() => {
      if (this.#exit === null) this.kill();
    }, LEAVE_MS).unref();
  }

  /** Ends it because of what it said or did. */
  refuse(violation: string): void {
    this.#violation ??= violation;
    this.kill();
  }

  #received(message: unknown): void {
    if (this.#violation !== null || this.#killed) return;
    if (isHostMessage(message)) {
      this.#observer.message(message);
      return;
    }
    this.refuse('answer outside the protocol');
    this.#naming = firstFault(message).then((place) => {
      this.#violation = `answer outside the protocol at ${place}`.slice(0, 200);
    });
  }

  #gone(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exit !== null) return;
    this.#exit = { code, signal };
    if (this.#child.connected) setTimeout(() => this.#finish(), DRAIN_MS);
    else this.#finish();
  }

  #finish(): void {
    if (this.#ended || this.#exit === null) return;
    this.#ended = true;
    this.#usage?.[Symbol.dispose]();
    this.#child.stderr?.destroy();
    const exit = this.#exit;
    const tell = (): void =>
      this.#observer.ended({ ...exit, violation: this.#violation, complaint: complaintIn(this.#stderr) });
    void this.#naming.then(tell, tell);
  }
}
