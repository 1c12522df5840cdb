import { describe, expect, it } from 'vitest';
import {
  aHandedOverPod,
  anAttempt,
  aPod,
  aReplicaSet,
  aView,
  aWorld,
  noNeeds,
  NOW,
  SECOND,
  type WorldParts,
} from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import type { Pod } from '../api/objects.ts';
import { giveBackPatch } from './journal.ts';
import { takeBack } from './take-back.ts';

const known: WorldParts = { namespaces: { shop: aView({ replicaSets: [aReplicaSet()] }) } };
const back = (pod: Pod, parts: WorldParts = known, now = NOW) => takeBack(pod, aWorld(parts), noNeeds(), now);
const tried = (attempt: Parameters<typeof anAttempt>[0]): WorldParts => ({
  ...known,
  attempts: { 'uid-web-1': anAttempt(attempt) },
});

describe('taking a pod back', () => {
  it('is nothing for a pod that carries nothing of ours', () => {
    expect(back(aPod())).toBeNull();
  });

  it('gives a pod back to its ReplicaSet', () => {
    expect(back(aHandedOverPod())).toMatchObject({ effect: { do: 'GiveBack' } });
  });

  it('takes the mark of a failed handover off, so that the next try may hand the pod over again', () => {
    const refused = aPod({ annotations: { [annotations.handoverRefused]: 'NotReady' } });
    expect(back(refused)).toMatchObject({ effect: { do: 'GiveBack', pod: { uid: refused.uid } } });
    expect(giveBackPatch(refused, undefined)).toEqual({
      metadata: { uid: refused.uid, annotations: { [annotations.handoverRefused]: null } },
    });
    expect(giveBackPatch(aPod(), undefined)).toBeNull();
  });

  it('takes that mark off once, however late its watch shows it', () => {
    const refused = aPod({ annotations: { [annotations.handoverRefused]: 'NotReady' } });
    const once = tried({ effect: 'GiveBack', answer: 'Done', startedAt: NOW, podVersion: refused.resourceVersion });
    expect(back(refused, once)).toEqual({ blocker: { cause: 'InFlight', pod: 'shop/web-1' }, wakeAt: NOW + 30 * SECOND });
    expect(back(refused, once, NOW + 30 * SECOND)).toMatchObject({ effect: { do: 'GiveBack' } });
  });

  it('decides nothing before it knows whether the owner lives', () => {
    const needs = noNeeds();
    expect(takeBack(aHandedOverPod(), aWorld(), needs, NOW)).toEqual({
      blocker: { cause: 'NotYetSeen', what: 'the workloads of namespace shop' },
    });
    expect([...needs.workloads]).toEqual(['shop']);
  });

  it.each([
    ['gone', []],
    ['being deleted', [aReplicaSet({ deletedAt: NOW })]],
  ])('deletes a pod whose owner is %s: nobody else would', (_, replicaSets) => {
    expect(back(aHandedOverPod(), { namespaces: { shop: aView({ replicaSets }) } })).toMatchObject({ effect: { do: 'Delete' } });
  });

  it('deletes with a grace, also where the pod itself asks for none', () => {
    const parts = { namespaces: { shop: aView({ replicaSets: [] }) } };
    expect(back(aHandedOverPod({}, { graceSeconds: 0 }), parts)).toMatchObject({ effect: { do: 'Delete', graceSeconds: 1 } });
    expect(back(aHandedOverPod(), parts)?.effect).not.toHaveProperty('graceSeconds');
  });

  it('does not delete a pod whose journal cannot be read', () => {
    expect(back(aPod({ annotations: { [annotations.handover]: 'edited' } }))).toMatchObject({ effect: { do: 'GiveBack' } });
  });

  it('waits for a request under way, whatever it is', () => {
    expect(back(aPod(), tried({ inFlight: true }))).toEqual({ blocker: { cause: 'InFlight', pod: 'shop/web-1' } });
    expect(back(aHandedOverPod(), tried({ inFlight: true }))).toEqual({ blocker: { cause: 'InFlight', pod: 'shop/web-1' } });
  });

  it.each(['Done', 'Unavailable'])('waits for a detach that was answered %s and does not show yet', (answer) => {
    const parts = tried({ effect: 'Detach', answer });
    expect(back(aPod(), parts)).toMatchObject({ blocker: { cause: 'InFlight' }, wakeAt: NOW + 29 * SECOND });
    expect(back(aPod(), parts, NOW + 29 * SECOND)).toBeNull();
    expect(back(aPod({ resourceVersion: '2' }), parts)).toBeNull();
    expect(back(aHandedOverPod({}, { resourceVersion: '2' }), parts)).toMatchObject({ effect: { do: 'GiveBack' } });
  });

  it('does not wait for a detach that was refused', () => {
    expect(back(aPod(), tried({ effect: 'Detach', answer: 'Forbidden', retryAt: NOW + SECOND }))).toBeNull();
  });

  it('sends a give-back once, and again when it does not show', () => {
    const parts = tried({ effect: 'GiveBack', answer: 'Done' });
    expect(back(aHandedOverPod(), parts)).not.toHaveProperty('effect');
    expect(back(aHandedOverPod(), parts, NOW + 29 * SECOND)).toMatchObject({ effect: { do: 'GiveBack' } });
  });

  it('says why it was refused until it may be tried again', () => {
    const parts = tried({ effect: 'GiveBack', answer: 'Forbidden', message: 'no right to patch', retryAt: NOW + SECOND });
    expect(back(aHandedOverPod(), parts)).toEqual({
      blocker: { cause: 'UndoFailed', message: 'pod shop/web-1: no right to patch' },
      wakeAt: NOW + SECOND,
    });
    expect(back(aHandedOverPod(), parts, NOW + SECOND)).toMatchObject({ effect: { do: 'GiveBack' } });
  });

  it('is not held back by an eviction that was refused before', () => {
    expect(back(aHandedOverPod(), tried({ answer: 'BudgetRefused', retryAt: NOW + SECOND }))).toMatchObject({
      effect: { do: 'GiveBack' },
    });
  });
});
