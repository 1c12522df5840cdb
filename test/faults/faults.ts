/** What goes wrong between Drover and the cluster, and the processes that it befalls. */
import type { KubeRequest } from '../../src/kube/client.ts';
import type { Millis } from '../../src/lib/clock.ts';
import { Failure } from '../../src/sim/apiserver/failure.ts';
import type { Refusal, RequestFault, TimedFault } from './case.ts';
import { BUSY_MS } from './draw.ts';
import { type Process, startProcess } from './process.ts';
import type { Stage } from './stage.ts';

const RESTART_MS: Millis = 3_000;
const DELAY_MS: Millis = 4_000;
const LAG_MS: Millis = 3_000;
const JUMP_MS: Millis = 3_600_000;

const refusals: Record<Refusal, () => Failure> = {
  409: () => new Failure(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version'),
  410: () => new Failure(410, 'Expired', 'too old resource version'),
  429: () => new Failure(429, 'TooManyRequests', 'too many requests, please try again later', { retryAfterSeconds: 2 }),
  500: () => new Failure(500, 'InternalError', 'an internal error'),
  504: () => new Failure(504, 'Timeout', 'request did not complete within the allotted time', { retryAfterSeconds: 1 }),
};

const broken = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

export interface Drover {
  /** No fault befalls it any more; what is down comes up again. */
  leaveInPeace(): void;
}

/** Starts the processes of Drover and everything that is to befall them. */
export function startDrover(stage: Stage): Drover {
  const { drawn, clock } = stage;
  const processes: (Process | undefined)[] = [];
  const counts = { read: 0, write: 0 };
  const due = drawn.faults.filter((fault) => fault.on === 'request');
  const beginsAt = clock.now();
  let generation = 0;
  let outage = false;
  let inPeace = false;

  const faultOf = new WeakMap<KubeRequest, RequestFault>();

  function restart(slot: number, after: Millis): void {
    processes[slot] = undefined;
    clock.after(after, () => start(slot));
  }

  function crash(process: Process): void {
    const slot = processes.indexOf(process);
    stage.say(`fault   ${process.identity} crashes`);
    stage.trouble();
    process.crash();
    if (slot >= 0) restart(slot, RESTART_MS);
  }

  async function before(process: Process, request: KubeRequest): Promise<void> {
    if (inPeace) return;
    if (outage) {
      stage.trouble();
      throw broken();
    }
    const sort = request.method === 'GET' ? 'read' : 'write';
    const nth = counts[sort]++;
    const fault = due.find((each) => each.of === sort && each.nth === nth);
    if (!fault) return;
    stage.say(`fault   ${fault.does} on ${request.method} ${request.path}`);
    stage.trouble();
    faultOf.set(request, fault);
    if (typeof fault.does === 'number') throw refusals[fault.does]();
    if (fault.does === 'lose-request') throw broken();
    if (fault.does === 'crash-before') crash(process);
    if (fault.does === 'delay') await clock.sleep(DELAY_MS);
  }

  function after(process: Process, request: KubeRequest): void {
    const fault = faultOf.get(request);
    if (fault?.does === 'crash-after') crash(process);
    if (fault?.does === 'lose-answer') throw broken();
  }

  function start(slot: number): void {
    generation += 1;
    processes[slot] = startProcess({
      stage,
      identity: `drover-${slot}-${generation}`,
      seed: drawn.seed + generation,
      leaderElect: drawn.replicas > 1,
      before,
      after,
      onExit: (process) => {
        if (processes.indexOf(process) >= 0) restart(processes.indexOf(process), RESTART_MS);
      },
    });
  }

  function befall(fault: TimedFault): void {
    // A fault that outlasts the busy time would be one that nobody ends.
    const lasts = Math.min(fault.lasts, Math.max(1_000, BUSY_MS + beginsAt - clock.now()));
    const hit = processes.filter((process) => process !== undefined);
    const process = hit[0];
    stage.say(`fault   ${fault.does} for ${lasts} ms`);
    stage.trouble();
    clock.after(lasts, () => stage.trouble());
    const forAWhile = (each: Process, begin: (p: Process) => void, end: (p: Process) => void) => {
      begin(each);
      clock.after(lasts, () => end(each));
    };
    switch (fault.does) {
      case 'cut-watches':
        for (const each of hit) each.cutWatches();
        break;
      case 'lag-watches':
        for (const each of hit)
          forAWhile(
            each,
            (p) => p.lagWatches(LAG_MS),
            (p) => p.lagWatches(0),
          );
        break;
      case 'crash':
        if (process) crash(process);
        break;
      case 'freeze':
        if (process)
          forAWhile(
            process,
            (p) => p.freeze(),
            (p) => p.thaw(),
          );
        break;
      case 'freeze-with-clock':
        // A virtual machine that is paused: its clock goes on from where it stood, and is put right five seconds later.
        if (process) {
          process.freeze();
          clock.after(lasts, () => {
            process.shiftClock(-lasts);
            process.thaw();
            clock.after(5_000, () => process.shiftClock(lasts));
          });
        }
        break;
      case 'clock-forward':
        for (const each of hit)
          forAWhile(
            each,
            (p) => p.shiftClock(JUMP_MS),
            (p) => p.shiftClock(-JUMP_MS),
          );
        break;
      case 'clock-back':
        for (const each of hit)
          forAWhile(
            each,
            (p) => p.shiftClock(-JUMP_MS),
            (p) => p.shiftClock(JUMP_MS),
          );
        break;
      case 'outage':
        outage = true;
        for (const each of hit) each.cutWatches();
        clock.after(lasts, () => (outage = false));
        break;
    }
  }

  for (let slot = 0; slot < drawn.replicas; slot += 1) start(slot);
  for (const fault of drawn.faults) if (fault.on === 'time') clock.after(fault.at, () => befall(fault));
  return {
    leaveInPeace() {
      inPeace = true;
    },
  };
}
