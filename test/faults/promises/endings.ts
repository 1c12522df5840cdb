/** Every maintenance ends, or its status names what keeps it. */
import type { KeepWatch } from './promise.ts';

const PROMISE = 'every maintenance ends or names its blocker';
const ended = new Set(['HandedBack', 'Cancelled', 'Failed']);
/** What passes by itself within seconds is no blocker of one that has not moved for minutes. */
const passing = new Set([
  'InFlight',
  'NotYetSeen',
  'HandoverReleasing',
  'Throttled',
  'BudgetStale',
  'ReplacementSettling',
  'NotEmptyLongEnough',
]);

export const endsOrNamesABlocker: KeepWatch = (stage) => {
  const { api } = stage;
  return {
    whenAtRest() {
      for (const { metadata, status } of api.list(stage.maintenances)) {
        const phase = status?.phase ?? '';
        if (ended.has(phase) || phase === 'Drained') continue;
        const blocker = status?.waitingFor;
        const broken = (how: string) => stage.broken(PROMISE, `${metadata.name} is ${phase || 'new'} and ${how}`);
        if (!blocker) broken('names nothing that it waits for');
        else if (passing.has(blocker.cause)) broken(`waits for ${blocker.cause}: ${blocker.message}`);
        else if (blocker.message === '' || blocker.unblock === '') broken(`does not say what would unblock ${blocker.cause}`);
      }
    },
    whenAllIsOver() {
      for (const { metadata, status } of api.list(stage.maintenances)) {
        const phase = status?.phase ?? '';
        if (ended.has(phase)) continue;
        if (phase === 'Drained' && status?.finishedAt !== undefined) continue;
        stage.broken(
          PROMISE,
          `${metadata.name} was cancelled and is ${phase || 'new'}: ${status?.waitingFor?.message ?? 'no blocker'}`,
        );
      }
    },
  };
};
