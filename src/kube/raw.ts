/** Reading of untyped JSON objects: everything may be absent, as the API server leaves out zero values. */
import type { LabelSelector, LabelSelectorRequirement, ObjectMeta, Owner, StringMap } from '../api/objects.ts';
import { controller } from './draft.ts';
import { intern, internLabels } from './intern.ts';
import { BrokenFrame } from './proto-reader.ts';

export interface RawMeta {
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string | null;
  deletionGracePeriodSeconds?: number | null;
  labels?: Record<string, string> | null;
  annotations?: Record<string, string> | null;
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[] | null;
  finalizers?: string[] | null;
}

export interface RawSelector {
  matchLabels?: Record<string, string> | null;
  matchExpressions?: { key: string; operator: string; values?: string[] | null }[] | null;
}

/** metadata of a decoded JSON value. @throws BrokenFrame when the value is no Kubernetes object. */
export function metaOf(object: unknown): RawMeta {
  const meta = (object as { metadata?: RawMeta } | null | undefined)?.metadata;
  if (typeof meta !== 'object' || meta === null || typeof meta.name !== 'string') {
    throw new BrokenFrame('JSON: an object without metadata.name');
  }
  return meta;
}

/** The four fields that every slim object has. */
export function identity(meta: RawMeta): ObjectMeta {
  return {
    namespace: intern(meta.namespace ?? ''),
    name: meta.name ?? '',
    uid: meta.uid ?? '',
    resourceVersion: meta.resourceVersion ?? '',
  };
}

// Whole seconds, so that few are known at a time and most are asked for many times.
const TIMES = 4_096;
const times = new Map<string, number>();

/** Milliseconds since the epoch of an RFC 3339 time; undefined when it is absent or not a time. */
export function timeOf(text: string | null | undefined): number | undefined {
  if (!text) return undefined;
  let at = times.get(text);
  if (at === undefined) {
    at = Date.parse(text);
    if (times.size >= TIMES) times.clear();
    times.set(text, at);
  }
  return Number.isNaN(at) ? undefined : at;
}

/** The last ones, as with labels. */
let lastOwner: { readonly raw: object; readonly owner: Owner | undefined } | undefined;

export function ownerOf({ ownerReferences }: RawMeta): Owner | undefined {
  if (!ownerReferences) return undefined;
  if (lastOwner?.raw === ownerReferences) return lastOwner.owner;
  const reference = ownerReferences.find((each) => each.controller === true);
  const owner = reference && controller(reference.kind, reference.name, reference.uid);
  lastOwner = { raw: ownerReferences, owner };
  return owner;
}

/** The last one: a server in this process hands out one object for the labels of all pods of an owner, and for those of all versions of each. */
let lastLabels: { readonly raw: object; readonly labels: StringMap } | undefined;

export function labelsOf(labels: Record<string, string> | null | undefined): StringMap {
  if (!labels) return internLabels('', () => ({}));
  if (lastLabels?.raw === labels) return lastLabels.labels;
  const known = sharedLabels(labels);
  lastLabels = { raw: labels, labels: known };
  return known;
}

function sharedLabels(labels: Record<string, string>): StringMap {
  return internLabels(JSON.stringify(labels), () =>
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [intern(key), intern(value)])),
  );
}

export function selectorOf(raw: RawSelector | null | undefined): LabelSelector {
  return {
    matchLabels: labelsOf(raw?.matchLabels),
    matchExpressions: (raw?.matchExpressions ?? []).map(({ key, operator, values }) => ({
      key,
      operator: operator as LabelSelectorRequirement['operator'],
      values: values ?? [],
    })),
  };
}
