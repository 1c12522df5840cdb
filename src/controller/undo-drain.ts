/** Takes back what a drain has left on nodes and pods: `drover uncordon`, and the end of an interrupted `drover drain`. */
import type { Node, Pod } from '../api/objects.ts';
import { readHandover } from '../engine/handover.ts';
import { giveBackPatch, readJournal, undoNodePatch } from '../engine/journal.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import { deletePod } from '../kube/evict.ts';
import * as kinds from '../kube/kinds.ts';
import { readList, readOne } from '../kube/read.ts';

export interface UndoOptions {
  readonly client: KubeClient;
  readonly nodes: readonly string[];
  readonly dryRun: boolean;
}

export interface Undone {
  readonly node: string;
  /** What was done, a sentence each; empty when there was nothing to do. */
  readonly did: readonly string[];
}

/** What the node's journal names as its author: a run of the command line, for this node. */
export function idOf(by: string, nodeName: string): string {
  return `${by}/${nodeName}`;
}

const MERGE_PATCH = 'application/merge-patch+json';

/** Gives back pods and nodes, and uncordons: the user asks for it, so a cordon of someone else goes, too. @throws KubeError */
export async function undoDrain({ client, nodes, dryRun }: UndoOptions): Promise<Undone[]> {
  const undone: Undone[] = [];
  for (const name of nodes) {
    const node = await readOne(client, kinds.nodes, { name });
    const did = await giveBackPods(client, node, dryRun);
    const own = undoNodePatch(node);
    const body = own ?? { metadata: { resourceVersion: node.resourceVersion } };
    if (own) did.push('Drover’s taint and annotation were removed');
    if (node.unschedulable) did.push('uncordoned');
    if (own || node.unschedulable) {
      const patch = { ...body, spec: { ...(body.spec as object | undefined), ...(node.unschedulable && { unschedulable: null }) } };
      await patchNode(client, name, patch, dryRun);
    }
    undone.push({ node: name, did });
  }
  return undone;
}

export async function leaveTidy({ client, by }: { readonly client: KubeClient; readonly by: string }, nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) {
    const journal = readJournal(node);
    if (journal?.by !== idOf(by, node.name)) continue;
    await giveBackPods(client, node, false);
    const body = journal.stage === 'Marked' ? undoNodePatch(node) : null;
    if (body) await patchNode(client, node.name, body, false);
  }
}

async function giveBackPods(client: KubeClient, node: Node, dryRun: boolean): Promise<string[]> {
  const did: string[] = [];
  const pods = await readList(client, kinds.pods, { fieldSelector: `spec.nodeName=${node.name}` });
  for (const pod of pods) {
    const journal = readHandover(pod);
    if (!journal || pod.deletedAt !== undefined) continue;
    const owner = await isOwnerAlive(client, pod, journal.owner.name, journal.owner.uid);
    if (owner) {
      const body = giveBackPatch(pod, undefined);
      const path = pathOf('api/v1/namespaces', pod.namespace, 'pods', pod.name);
      await ignoringGone(client.json({ method: 'PATCH', path, contentType: MERGE_PATCH, body, query: dryRun ? { dryRun: 'All' } : {} }));
      did.push(`pod ${pod.namespace}/${pod.name} was given back to ReplicaSet ${journal.owner.name}`);
    } else {
      // With its owner it would have been deleted, had it not been handed over at that moment.
      await deletePod(client, pod, { dryRun });
      did.push(`pod ${pod.namespace}/${pod.name} was deleted: its ReplicaSet ${journal.owner.name} is gone`);
    }
  }
  return did;
}

async function isOwnerAlive(client: KubeClient, pod: Pod, name: string, uid: string): Promise<boolean> {
  try {
    const found = await readOne(client, kinds.replicaSets, { namespace: pod.namespace, name });
    return found.uid === uid && found.deletedAt === undefined;
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) return false;
    throw error;
  }
}

async function patchNode(client: KubeClient, name: string, body: unknown, dryRun: boolean): Promise<void> {
  await client.json({ method: 'PATCH', path: pathOf('api/v1/nodes', name), contentType: MERGE_PATCH, body, query: dryRun ? { dryRun: 'All' } : {} });
}

async function ignoringGone(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof KubeError && error.code === 404)) throw error;
  }
}
