/**
 * What goes into a maintenance's `status.journal`: what was changed and what takes it back, a sentence each. For people; the undo
 * itself works from the annotations that were written with the change (engine/journal.ts).
 */
import type { JournalEntry } from '../api/resources.ts';
import type { Node, Pod, StringMap } from '../api/objects.ts';
import type { PodEffect } from '../engine/effect.ts';
import type { Approval } from '../engine/gates/gate.ts';
import { readHandover } from '../engine/handover.ts';
import { isoSeconds, readJournal } from '../engine/journal.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import { podKey } from '../engine/pods.ts';
import type { NodeEffect } from '../engine/steps.ts';
import type { Millis } from '../lib/clock.ts';
import { cut } from './status.ts';

type Sentences = Pick<JournalEntry, 'do' | 'undo'>;

/**
 * The entry for an effect that was answered with Done. `effect.node` and `effect.pod` are the objects as they were before it. null
 * for ordinary evictions and for words: they change nothing that could be taken back, and 100 of them would push the cordon out.
 */
export function journalEntry(effect: PodEffect | NodeEffect, maintenance: Maintenance, now: Millis): JournalEntry | null {
  const said = 'pod' in effect ? ofPod(effect) : ofNode(effect, maintenance);
  if (!said) return null;
  const object =
    'pod' in effect
      ? `Pod/${podKey(effect.pod)}`
      : effect.do === 'Pause'
        ? `NodeMaintenance/${maintenance.id}`
        : 'run' in effect
          ? `${effect.run.kind}/${effect.run.namespace}/${effect.run.name}`
          : `Node/${maintenance.nodeName}`;
  return { at: isoSeconds(now), do: cut(said.do, 1_024), undo: cut(said.undo, 1_024), object };
}

/** Who has let it start. */
export function approvalEntry({ by, at }: Approval, id: string, now: Millis): JournalEntry {
  const did = cut(`started with the approval of ${by}, given ${isoSeconds(at)}`, 1_024);
  return { at: isoSeconds(now), do: did, undo: '', object: `NodeMaintenance/${id}` };
}

function ofNode(effect: NodeEffect, { settings }: Maintenance): Sentences {
  switch (effect.do) {
    case 'Mark':
      return { do: 'marked with a soft taint, so that pods do not move here from other nodes', undo: 'remove the taint' };
    case 'Cordon': {
      const label = settings.excludeFromLoadBalancers;
      const before = readJournal(effect.node)?.undo.unschedulable ?? effect.node.unschedulable;
      return {
        do: `cordoned and tainted${label ? ', and taken out of load balancers' : ''}`,
        undo: `remove the taint${label ? ' and the load-balancer label' : ''}; ${before ? 'it was cordoned before and stays so' : 'uncordon'}`,
      };
    }
    case 'Undo':
      return { do: `handed back: ${undone(effect.node)}`, undo: '' };
    case 'CreateRun':
      return {
        do: effect.run.kind === 'Pod' ? 'created, to reboot the node' : 'created, as a hook of the maintenance',
        undo: '',
      };
    case 'RemoveRun':
      return { do: 'deleted before its end', undo: '' };
    case 'DeleteNode':
      return { do: 'deleted', undo: '' };
    case 'Pause':
      return { do: `paused: ${effect.because}`, undo: '`drover resume`' };
  }
}

function undone(node: Node): string {
  const undo = readJournal(node)?.undo ?? {};
  const uncordoned = undo.unschedulable === false && node.unschedulable;
  return [
    uncordoned && 'uncordoned',
    'own taint removed',
    undo.loadBalancerLabel !== undefined && 'load-balancer label as before',
  ]
    .filter((each) => each !== false)
    .join(', ');
}

function ofPod(effect: PodEffect): Sentences | null {
  switch (effect.do) {
    case 'Evict':
    case 'TellOwner':
      return null;
    case 'Delete':
      return { do: `deleted without asking its disruption budgets: ${effect.because}`, undo: '' };
    case 'Detach':
      return {
        do: `handed over: took ${listed(effect.labels)} from it, so that ${ownerOf(effect.pod)} creates another`,
        undo: `give ${listed(effect.labels)} back`,
      };
    case 'Unlist':
      return {
        do: `taken out of its Services: took ${listed(effect.labels)} from it`,
        undo: `give ${listed(effect.labels)} back`,
      };
    case 'GiveBack': {
      const journal = readHandover(effect.pod);
      const given = listed({ ...journal?.labels, ...journal?.unlisted });
      const because = effect.refusedBecause === undefined ? '' : ` (${effect.refusedBecause}; it is not handed over again)`;
      return { do: `given back to ReplicaSet ${journal?.owner.name ?? ''}: ${given}${because}`, undo: '' };
    }
  }
}

function ownerOf({ owner }: Pod): string {
  return owner ? `${owner.kind} ${owner.name}` : 'its owner';
}

function listed(labels: StringMap): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return `${pairs.length === 1 ? 'label' : 'labels'} ${pairs.join(', ')}`;
}
