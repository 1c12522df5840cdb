import type { Stage } from '../stage.ts';

export interface Kept {
  /** No fault has happened for long, and nothing changes any more. */
  whenAtRest?(): void;
  /** Every reason is gone and every maintenance cancelled; nothing changes any more. */
  whenAllIsOver?(): void;
}

/** Watches over one promise during one run, and says what breaks it. */
export type KeepWatch = (stage: Stage) => Kept;
