/** What the maintenances that are known have done so far, policy by policy. */
import type { MaintenanceState } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';
import type { ApiStore } from './api-store.ts';
import { failedAt } from './ended.ts';

const REMEMBERED_DRAINS = 10;

interface Past {
  readonly spec: { readonly policy: string | null };
  readonly state: MaintenanceState;
}

export function historyOf(entries: () => Iterable<Past>): Pick<ApiStore, 'lastStart' | 'failures' | 'slowestDrain'> {
  return {
    lastStart(policy) {
      let last: Millis | null = null;
      for (const { spec, state } of entries())
        if (spec.policy === policy && state.startedAt !== undefined) last = Math.max(last ?? state.startedAt, state.startedAt);
      return last;
    },

    failures(policy) {
      const found: Millis[] = [];
      for (const { spec, state } of entries()) {
        const at = spec.policy === policy ? failedAt(state) : null;
        if (at !== null) found.push(at);
      }
      return found;
    },

    slowestDrain(policy) {
      const drains: { readonly at: Millis; readonly ms: Millis }[] = [];
      for (const { spec, state } of entries()) {
        const { startedAt, drainedAt } = state;
        if (spec.policy !== policy || startedAt === undefined || drainedAt === undefined) continue;
        drains.push({ at: drainedAt, ms: Math.max(0, drainedAt - startedAt) });
      }
      drains.sort((a, b) => b.at - a.at);
      return drains.length === 0 ? null : Math.max(...drains.slice(0, REMEMBERED_DRAINS).map(({ ms }) => ms));
    },
  };
}
