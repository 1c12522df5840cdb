/** What the engine wants done. Each is idempotent: repeating it after a crash does no harm. */
import type { Pod, StringMap } from '../api/objects.ts';

export type PodEffect =
  | {
      readonly do: 'Evict';
      readonly pod: Pod;
      readonly graceSeconds?: number;
      readonly budget?: string;
      readonly budgetVersion?: string;
    }
  /** Around the budgets: only a ladder step, `--disable-eviction` or an owner that is gone lead here. Never grace 0. */
  | { readonly do: 'Delete'; readonly pod: Pod; readonly graceSeconds?: number; readonly because: string }
  /** Takes the label away that binds the pod to its ReplicaSet; the journal goes into the same patch. */
  | { readonly do: 'Detach'; readonly pod: Pod; readonly labels: StringMap; readonly readyAtStart: number }
  /** Takes labels away that only Services select on. */
  | { readonly do: 'Unlist'; readonly pod: Pod; readonly labels: StringMap }
  /** Undoes Detach and Unlist. `refusedBecause` is remembered on the pod so that it is not handed over again. */
  | { readonly do: 'GiveBack'; readonly pod: Pod; readonly refusedBecause?: string }
  /** An event on the pod and its owner: it keeps a node from finishing. */
  | { readonly do: 'TellOwner'; readonly pod: Pod; readonly message: string };

export type PodState = 'Skipped' | 'Protected' | 'Waiting' | 'HandingOver' | 'Evicting' | 'Terminating';
