/** Drover asks for no eviction of which it can see that a budget refuses it: it waits for the budget, and costs the server nothing. */
import type { Millis } from '../../../src/lib/clock.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { budgetsOf, keyOf } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

/** What has changed, or gone wrong, so recently may not have reached Drover. */
const UNSEEN_MS: Millis = 10_000;
const EVICTION = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/;

export const asksOnlyWhatBudgetsAllow: KeepWatch = (stage) => {
  const { api, clock } = stage;
  const changedAt = new Map<string, Millis>();
  const see = (uid: string) => void changedAt.set(uid, clock.now());
  stage.watch(kinds.budgets, ({ object }) => see(object.metadata.uid));
  stage.watch(kinds.pods, ({ object }) => see(object.metadata.uid));
  const isKnown = (uid: string) => clock.now() - (changedAt.get(uid) ?? Number.NEGATIVE_INFINITY) > UNSEEN_MS;

  stage.onRequest(({ path }, { code }) => {
    // 429: its budget allows none; 500: it has two (kubernetes/kubernetes#75957). What a fault refuses does not come so far.
    const [, namespace, name] = EVICTION.exec(path) ?? [];
    if (namespace === undefined || name === undefined || (code !== 429 && code !== 500)) return;
    const pod = api.get(kinds.pods, namespace, name);
    if (!pod || clock.now() - stage.troubledAt() <= UNSEEN_MS || !isKnown(pod.metadata.uid)) return;
    const budgets = budgetsOf(stage, pod);
    if (budgets.length === 0 || !budgets.every(({ metadata }) => isKnown(metadata.uid))) return;
    const how = `${keyOf(pod)} is refused with ${code} by ${budgets.map(keyOf).join(' and ')}, which has been so for long`;
    stage.broken('no eviction is asked for that a budget forbids', how);
  });
  return {};
};
