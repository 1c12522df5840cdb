/** The binding subresource (kubernetes pkg/registry/core/pod/storage/storage.go). */
import { withCondition } from '../conditions.ts';
import { copyOf, type Writable } from '../copy.ts';
import type { Metadata, Pod } from '../kubernetes.ts';
import { checkNamespace } from './create.ts';
import { Failure } from './failure.ts';
import { pods } from './kinds.ts';
import { conflict, notFound } from './refusals.ts';
import type { Binding, Core } from './registry.ts';

function refusal(name: string, because: string): Failure {
  const message = `Operation cannot be fulfilled on pods/binding ${JSON.stringify(name)}: ${because}`;
  return new Failure(409, 'Conflict', message, { name, kind: 'pods/binding' });
}

function check(pod: Pod, binding: Binding): void {
  const { name, uid, resourceVersion, deletionTimestamp } = pod.metadata;
  const failed = (what: string, asked: string, is: string) =>
    conflict(
      pods,
      name,
      `StorageError: invalid object, Code: 4, Key: /registry/pods/${pod.metadata.namespace}/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${is}`,
    );
  if (binding.uid && binding.uid !== uid) throw failed('UID', binding.uid, uid);
  if (binding.resourceVersion && binding.resourceVersion !== resourceVersion)
    throw failed('ResourceVersion', binding.resourceVersion, resourceVersion);
  if (deletionTimestamp) throw refusal(name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refusal(name, `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if (pod.spec.schedulingGates?.length) throw refusal(name, `pod ${name} has non-empty .spec.schedulingGates`);
}

export function bindPod(core: Core, namespace: string, name: string, binding: Binding): void {
  const resource = core.resources.of(pods);
  checkNamespace(core, resource, namespace, name);
  const entry = resource.shelf.objects.find(namespace, name);
  if (!entry) throw notFound(pods, name);
  const pod = entry.object as Pod;
  check(pod, binding);
  if (binding.dryRun) return;
  const { labels, annotations } = binding;
  // The generation stays, though the spec changes: upstream writes past the strategy that would count it.
  const metadata: Writable<Metadata> = copyOf(pod.metadata);
  if (labels) metadata.labels = { ...pod.metadata.labels, ...labels };
  if (annotations) metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  const spec: Writable<Pod['spec']> = copyOf(pod.spec);
  spec.nodeName = binding.node;
  const status: Writable<NonNullable<Pod['status']>> = copyOf(pod.status ?? {});
  if (status.nominatedNodeName !== undefined) delete status.nominatedNodeName;
  status.conditions = withCondition(status.conditions, { type: 'PodScheduled', status: 'True', lastProbeTime: null }, core.now());
  const next: Writable<Pod> = copyOf(pod);
  next.metadata = metadata;
  next.spec = spec;
  next.status = status;
  core.store.replace(resource.shelf, entry, next);
}
