/** The pods that close gates: one watch per question, open while a pass asks it, so that the last of them ending is seen at once. */
import { matchesSelector } from '../../api/label-selector.ts';
import type { LabelSelector, Pod } from '../../api/objects.ts';
import type { GateNeeds, GatePods, PodsQuestion } from '../../engine/gates/gate.ts';
import type { KubeClient } from '../../kube/client.ts';
import * as kinds from '../../kube/kinds.ts';
import { reflect, type Reflector } from '../../kube/reflector.ts';
import type { Clock, Millis } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';

export interface PodWatchOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly onChange: () => void;
}

export interface PodWatches {
  pods(question: PodsQuestion, now: Millis): GatePods | { readonly failed: string; readonly since: Millis } | null;
  provide(needed: GateNeeds['pods']): void;
  stop(): void;
}

// Between two nodes of a rotation the question is not asked for a moment.
const LINGER_MS = 60_000;
// Ended pods, of Jobs above all, are many and close nothing.
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

interface Watch {
  readonly reflector: Reflector<Pod>;
  failed: { readonly message: string; readonly since: Millis } | null;
  synced: boolean;
  neededAt: Millis;
}

export function createPodWatches({ client, clock, log, random, onChange }: PodWatchOptions): PodWatches {
  const watches = new Map<string, Watch>();

  const open = ({ selector, namespaces }: PodsQuestion): Watch => {
    const [only, ...others] = namespaces ?? [];
    const reflector = reflect<Pod>({
      client,
      kind: kinds.pods,
      clock,
      log,
      random,
      ...(only !== undefined && others.length === 0 && { namespace: only }),
      labelSelector: selectorText(selector),
      fieldSelector: NOT_ENDED,
      consistency: 'Latest',
      onChange() {
        watch.failed = null;
        if (watch.synced) onChange();
      },
      onError(error) {
        log.warn(`cannot watch the pods of a gate: ${error.message}`);
        watch.failed = { message: error.message, since: watch.failed?.since ?? clock.now() };
        if (!watch.synced) onChange();
      },
    });
    const watch: Watch = { reflector, failed: null, synced: false, neededAt: clock.now() };
    reflector.synced.then(
      () => {
        watch.synced = true;
        watch.failed = null;
        onChange();
      },
      () => {}, // stopped before it was read
    );
    return watch;
  };

  return {
    pods(question, now) {
      const watch = watches.get(question.key);
      if (!watch) return null;
      if (!watch.synced)
        return watch.failed && { failed: `the pods cannot be read: ${watch.failed.message}`, since: watch.failed.since };
      if (!watch.reflector.healthy(now)) {
        const since = watch.failed?.since ?? now;
        return { failed: `the pods cannot be read: ${watch.failed?.message ?? 'the API server is silent'}`, since };
      }
      return { on: (nodeName) => namesOf(watch.reflector, question, nodeName) };
    },
    provide(needed) {
      const now = clock.now();
      for (const [key, question] of needed) {
        let watch = watches.get(key);
        if (!watch) watches.set(key, (watch = open(question)));
        watch.neededAt = now;
      }
      for (const [key, watch] of watches) {
        if (needed.has(key) || now - watch.neededAt <= LINGER_MS) continue;
        watches.delete(key);
        void watch.reflector.stop();
      }
    },
    stop() {
      for (const { reflector } of watches.values()) void reflector.stop();
      watches.clear();
    },
  };
}

function namesOf(reflector: Reflector<Pod>, question: PodsQuestion, nodeName: string | null): string[] {
  const { namespaces, runningOnly, selector } = question;
  const found: string[] = [];
  for (const pod of reflector.items()) {
    if (nodeName !== null && pod.nodeName !== nodeName) continue;
    if (namespaces && !namespaces.includes(pod.namespace)) continue;
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed' || (runningOnly && pod.phase !== 'Running')) continue;
    if (matchesSelector(selector, pod.labels)) found.push(`${pod.namespace}/${pod.name}`);
  }
  return found.sort();
}

/** As the API server reads it. */
function selectorText({ matchLabels, matchExpressions }: LabelSelector): string {
  const terms = matchExpressions.map(({ key, operator, values }) => {
    switch (operator) {
      case 'Exists':
        return key;
      case 'DoesNotExist':
        return `!${key}`;
      case 'In':
      case 'NotIn':
        return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
    }
  });
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...terms].join(',');
}
