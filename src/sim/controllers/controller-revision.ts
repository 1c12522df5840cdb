/** The templates that a StatefulSet or DaemonSet has had, as ControllerRevisions (pkg/controller/history). */
import type { Api, Draft, Kind } from '../apiserver/api.ts';
import { controllerRevisions } from '../apiserver/kinds.ts';
import type { KubeObject, Labels, PodTemplate } from '../kubernetes.ts';
import { newControllerRef } from './controller-ref.ts';
import { canonicalJson, safeHash } from './pod-template.ts';

const LONGEST_PREFIX = 223;

export interface ControllerRevision extends KubeObject {
  readonly revision: number;
  /** A strategic merge patch that puts the template back: what `kubectl rollout undo` sends. */
  readonly data: { readonly spec: { readonly template: PodTemplate & { readonly $patch?: 'replace' } } };
}

export const revisions = controllerRevisions as Kind<ControllerRevision>;

/** An owner with a template that has revisions. */
export interface Templated extends KubeObject {
  readonly spec: { readonly template: PodTemplate };
}

const canonical = new WeakMap<PodTemplate, string>();

/** The template as text, the same for all that say the same. */
export function templateText(template: PodTemplate): string {
  let text = canonical.get(template);
  if (text === undefined) {
    const { $patch: _, ...plain } = template as PodTemplate & { $patch?: string };
    text = canonicalJson(plain);
    canonical.set(template, text);
  }
  return text;
}

export const isOfTemplate = ({ data }: ControllerRevision, template: PodTemplate): boolean =>
  templateText(data.spec.template) === templateText(template);

/** The template that a revision keeps. */
export function templateOf({ data }: ControllerRevision): PodTemplate {
  const { $patch: _, ...template } = data.spec.template;
  return template;
}

export const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision ||
  a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
  a.metadata.name.localeCompare(b.metadata.name);

export interface RevisionDraft {
  readonly ownerKind: Kind;
  readonly owner: Templated;
  readonly revision: number;
  /** The label that carries the hash: the two kinds of owners use different ones. */
  readonly hashLabel: string;
  readonly collisions: number | undefined;
  /** In place of the hash of the template. */
  readonly hash?: string;
}

export function revisionDraft(draft: RevisionDraft): Draft<ControllerRevision> {
  const { ownerKind, owner, revision, hashLabel, collisions } = draft;
  const { name, namespace = '', annotations } = owner.metadata;
  const { template } = owner.spec;
  const hash = draft.hash ?? safeHash(templateText(template), collisions);
  const labels: Labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name.slice(0, LONGEST_PREFIX)}-${hash}`,
      namespace,
      labels,
      ...(annotations && { annotations }),
      ownerReferences: [newControllerRef(ownerKind, owner)],
    },
    data: { spec: { template: { ...template, $patch: 'replace' } } },
    revision,
  };
}

/** Gives a revision that is served again the next number. */
export function renumber(api: Api, { metadata }: ControllerRevision, revision: number): ControllerRevision | undefined {
  return api.modify(revisions, metadata.namespace ?? '', metadata.name, (before) =>
    before.revision === revision ? before : { ...before, revision },
  );
}

export function removeRevision(api: Api, { metadata }: ControllerRevision): void {
  api.remove(revisions, metadata.namespace ?? '', metadata.name);
}
