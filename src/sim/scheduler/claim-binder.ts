/** Claims that wait for their first consumer: the chosen node is written on them, and the pod is bound once they are. */
import type { Api } from '../apiserver/api.ts';
import { claims } from '../apiserver/kinds.ts';
import type { Claim } from '../kubernetes.ts';
import type { PodEntry } from './cluster-view.ts';
import type { QueuedPod } from './queue.ts';

/** By which the volume controller knows where to make the volume (k8s.io/component-helpers storage/volume). */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

export interface ClaimBinder {
  selectNode(pod: QueuedPod, unbound: readonly Claim[], node: string): void;
  claimChanged(claim: Claim): void;
  forget(entry: PodEntry): void;
  stop(): void;
}

const keyOf = ({ metadata }: Claim) => `${metadata.namespace}/${metadata.name}`;

/** `bind` is called, through the clock, when the last claim of a pod is bound. */
export function createClaimBinder(api: Api, bind: (pod: QueuedPod) => void): ClaimBinder {
  const waiting = new Map<PodEntry, { readonly pod: QueuedPod; readonly open: Set<string> }>();
  const timers = new Set<() => void>();

  function later(run: () => void): void {
    const cancel = api.clock.after(0, () => {
      timers.delete(cancel);
      run();
    });
    timers.add(cancel);
  }

  return {
    selectNode(pod, unbound, node) {
      waiting.set(pod.entry, { pod, open: new Set(unbound.map(keyOf)) });
      for (const { metadata } of unbound) {
        api.modify(claims, metadata.namespace ?? '', metadata.name, (claim) => {
          if (claim.metadata.annotations?.[SELECTED_NODE] === node) return claim;
          const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: node };
          return { ...claim, metadata: { ...claim.metadata, annotations } };
        });
      }
    },
    claimChanged(claim) {
      if (!claim.spec.volumeName) return;
      const key = keyOf(claim);
      for (const [entry, { pod, open }] of waiting) {
        if (!open.delete(key) || open.size > 0) continue;
        waiting.delete(entry);
        later(() => {
          if (entry.slot >= 0) bind(pod);
        });
      }
    },
    forget(entry) {
      waiting.delete(entry);
    },
    stop() {
      for (const cancel of timers) cancel();
      waiting.clear();
    },
  };
}
