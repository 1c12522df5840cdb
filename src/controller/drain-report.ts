/** What a run of `drover drain` tells its caller while it runs and when it ends. */
import type { Blocker } from '../engine/blocker.ts';
import type { PodReport } from '../engine/drain.ts';
import type { Phase } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';

export interface NodeReport {
  readonly name: string;
  readonly phase: Phase;
  readonly waitingFor: Blocker | null;
  readonly pods: readonly PodReport[];
  /** Pods that had to leave, in all. */
  readonly total: number;
  readonly gone: number;
  readonly remaining: number;
  readonly cordoned: boolean;
  readonly message: string;
  readonly startedAt: Millis | null;
  readonly finishedAt: Millis | null;
}

export interface DrainRunReport {
  readonly now: Millis;
  readonly nodes: readonly NodeReport[];
}

export type DrainOutcome = 'Drained' | 'Failed' | 'TimedOut' | 'Interrupted' | 'NotStarted';

export interface DrainRunResult {
  readonly ok: boolean;
  readonly nodes: readonly {
    readonly name: string;
    readonly outcome: DrainOutcome;
    readonly message: string;
    readonly seconds: number;
    readonly pods: number;
  }[];
}
