/** Takes back what a drain has left on nodes and pods: `drover uncordon`, and the end of an interrupted `drover drain`. */
import type { Node, Pod } from '../api/objects.ts';
import { readHandover } from '../engine/handover.ts';
import { giveBackPatch, type MergePatch, readJournal, undoNodePatch } from '../engine/journal.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import { deletePod } from '../kube/evict.ts';
import * as kinds from '../kube/kinds.ts';
import { readList, readOne } from '../kube/read.ts';
import { MERGE_PATCH } from '../kube/patch.ts';

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

// The kubelet writes its node, too, and a patch that carries the version of a moment ago is refused then.
const MAX_CONFLICTS = 5;

/** Gives back pods and nodes, and uncordons: the user asks for it, so a cordon of someone else goes, too. @throws KubeError */
export async function undoDrain({ client, nodes, dryRun }: UndoOptions): Promise<Undone[]> {
  const undone: Undone[] = [];
  for (const name of nodes) {
    const did = await giveBackPods(client, name, dryRun);
    did.push(...(await changeNode(client, name, dryRun, uncordoned)));
    undone.push({ node: name, did });
  }
  return undone;
}

/**
 * After an interrupted run: takes back what nobody would come back to. Its pods get their labels back and its marks go; what it has
 * cordoned stays cordoned, but for the nodes in `reopen`. A node that is gone is left out. @throws KubeError
 */
export async function leaveTidy(
  { client, by }: { readonly client: KubeClient; readonly by: string },
  nodes: readonly string[],
  reopen: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const name of nodes) {
    try {
      // Read anew: what the run has just written may not have come back to its caches.
      const journal = readJournal(await readOne(client, kinds.nodes, { name }));
      if (journal?.by !== idOf(by, name)) continue;
      await giveBackPods(client, name, false);
      const goes = journal.stage === 'Marked' || reopen.has(name);
      if (goes) await changeNode(client, name, false, (node) => ({ patch: undoNodePatch(node), did: [] }));
    } catch (error) {
      if (!(error instanceof KubeError && error.code === 404)) throw error;
    }
  }
}

interface NodeChange {
  /** null: there is nothing to change. */
  readonly patch: MergePatch | null;
  readonly did: readonly string[];
}

function uncordoned(node: Node): NodeChange {
  const own = undoNodePatch(node);
  const did = [...(own ? ['Drover’s taint and annotation were removed'] : []), ...(node.unschedulable ? ['uncordoned'] : [])];
  if (did.length === 0) return { patch: null, did };
  const body = own ?? { metadata: { resourceVersion: node.resourceVersion } };
  return {
    patch: { ...body, spec: { ...(body['spec'] as object | undefined), ...(node.unschedulable && { unschedulable: null }) } },
    did,
  };
}

async function changeNode(
  client: KubeClient,
  name: string,
  dryRun: boolean,
  change: (node: Node) => NodeChange,
): Promise<readonly string[]> {
  for (let conflicts = 0; ; conflicts += 1) {
    const { patch, did } = change(await readOne(client, kinds.nodes, { name }));
    if (!patch) return did;
    try {
      await mergePatch(client, pathOf('api/v1/nodes', name), patch, dryRun);
      return did;
    } catch (error) {
      if (!(error instanceof KubeError && error.code === 409) || conflicts >= MAX_CONFLICTS) throw error;
    }
  }
}

async function giveBackPods(client: KubeClient, nodeName: string, dryRun: boolean): Promise<string[]> {
  const did: string[] = [];
  const pods = await readList(client, kinds.pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  for (const pod of pods) {
    const journal = readHandover(pod);
    if (!journal || pod.deletedAt !== undefined) continue;
    const title = `pod ${pod.namespace}/${pod.name}`;
    // Where the journal is unreadable nobody knows whose the pod was, and what may be somebody's is not deleted.
    if (journal.owner.uid !== '' && !(await isOwnerAlive(client, pod, journal.owner.name, journal.owner.uid))) {
      // With its owner it would have been deleted, had it not been handed over at that moment.
      await deletePod(client, pod, { dryRun, ...(pod.graceSeconds < 1 && { graceSeconds: 1 }) });
      did.push(`${title} was deleted: its ReplicaSet ${journal.owner.name} is gone`);
    } else if (
      await isDone(
        mergePatch(client, pathOf('api/v1/namespaces', pod.namespace, 'pods', pod.name), giveBackPatch(pod, undefined), dryRun),
      )
    ) {
      did.push(
        journal.owner.uid === ''
          ? `${title} lost its handover annotation, which could not be read`
          : `${title} was given back to ReplicaSet ${journal.owner.name}`,
      );
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

async function mergePatch(client: KubeClient, path: string, body: MergePatch | null, dryRun: boolean): Promise<void> {
  await client.json({
    method: 'PATCH',
    path,
    contentType: MERGE_PATCH,
    body,
    idempotent: true,
    query: dryRun ? { dryRun: 'All' } : {},
  });
}

/** False when the pod has gone meanwhile. */
async function isDone(request: Promise<void>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) return false;
    throw error;
  }
}
