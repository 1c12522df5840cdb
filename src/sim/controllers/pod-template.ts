/** Pods from a template, and which templates say the same. */
import { createHash } from 'node:crypto';
import type { Draft, Kind } from '../apiserver/api.ts';
import { dnsSubdomain } from '../apiserver/names.ts';
import type { KubeObject, Labels, Pod, PodTemplate } from '../kubernetes.ts';
import { newControllerRef } from './controller-ref.ts';

type Loose = Readonly<Record<string, unknown>>;

const NO_LABELS: Labels = {};

export const TEMPLATE_HASH = 'pod-template-hash';
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/** A pod as the owner's template has it, with a name to be generated (pkg/controller/controller_utils.go, GetPodFromTemplate). */
export function podFromTemplate(template: PodTemplate, ownerKind: Kind, owner: KubeObject): Draft<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const dashed = `${owner.metadata.name}-`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: dnsSubdomain(dashed, true).length > 0 ? owner.metadata.name : dashed,
      ...(owner.metadata.namespace !== undefined && { namespace: owner.metadata.namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && finalizers.length > 0 && { finalizers }),
      ownerReferences: [newControllerRef(ownerKind, owner)],
    },
    spec: template.spec,
  };
}

/** The value as JSON with its keys in order; fields that are null or undefined count as absent. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
}

// Templates are shared by every version of their owner that does not change them, so that each is read once.
const digests = new WeakMap<PodTemplate, string>();

/** The same for templates that say the same but for their pod-template-hash label. */
export function templateDigest(template: PodTemplate): string {
  let digest = digests.get(template);
  if (digest === undefined) {
    const { [TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
    const plain = { ...template, metadata: { ...template.metadata, labels } };
    digest = createHash('sha256').update(canonicalJson(plain)).digest('base64url');
    digests.set(template, digest);
  }
  return digest;
}

function fieldsAlike(a: Loose, b: Loose): boolean {
  for (const key in a) if (!alike(a[key], b[key])) return false;
  for (const key in b) if (a[key] === undefined && b[key] !== undefined && b[key] !== null) return false;
  return true;
}

function alike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === undefined || a === null) return b === undefined || b === null;
  if (typeof a !== 'object' || typeof b !== 'object' || b === null) return false;
  if (!Array.isArray(a)) return !Array.isArray(b) && fieldsAlike(a as Loose, b as Loose);
  return Array.isArray(b) && a.length === b.length && a.every((each, at) => alike(each, b[at]));
}

// A set's template and that of its Deployment are asked about with every look at the Deployment.
const equals = new WeakMap<PodTemplate, PodTemplate>();

/** Whether their digests are equal, without working them out: of ten thousand Deployments that are read in none needs one. */
export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  if (a === b || equals.get(a) === b) return true;
  if (!saysTheSame(a, b)) return false;
  equals.set(a, b);
  return true;
}

function saysTheSame(a: PodTemplate, b: PodTemplate): boolean {
  const { metadata: { labels: left = NO_LABELS, ...metadata } = {}, ...rest } = a;
  const { metadata: { labels: right = NO_LABELS, ...otherMetadata } = {}, ...otherRest } = b;
  const hash = left[TEMPLATE_HASH] === right[TEMPLATE_HASH] ? undefined : { [TEMPLATE_HASH]: '' };
  return (
    fieldsAlike(rest, otherRest) &&
    fieldsAlike(metadata, otherMetadata) &&
    fieldsAlike(hash ? { ...left, ...hash } : left, hash ? { ...right, ...hash } : right)
  );
}

/** A name's last part for the text: ten characters at most, of those that make no words (apimachinery rand.SafeEncodeString). */
export function safeHash(text: string, collisions?: number): string {
  const bytes = createHash('sha256')
    .update(text)
    .update(collisions === undefined ? '' : String(collisions))
    .digest();
  return [...String(bytes.readUInt32BE(0))].map((digit) => SAFE[digit.charCodeAt(0) % SAFE.length]).join('');
}
