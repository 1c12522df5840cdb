/** Field selectors, with the fields that upstream supports per kind (the registries' ToSelectableFields and conversion functions). */
import { badRequest } from '../apiserver/refusals.ts';
import type { KubeObject } from '../kubernetes.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
}

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

const named = ['metadata.name', 'metadata.namespace'];

/** By "group/plural", the kinds with fields of their own. */
const own: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    ...named,
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  '/nodes': ['metadata.name', 'spec.unschedulable'],
  '/namespaces': ['metadata.name', 'status.phase'],
  '/services': [...named, 'spec.clusterIP', 'spec.type'],
  '/secrets': [...named, 'type'],
  '/replicationcontrollers': [...named, 'status.replicas'],
  'batch/jobs': [...named, 'status.successful'],
  '/events': [...named, ...involved.map((field) => `involvedObject.${field}`), 'reason', 'reportingComponent', 'source', 'type'],
  'events.k8s.io/events': [...named, ...involved.map((field) => `regarding.${field}`), 'reason', 'reportingController', 'type'],
};

export interface Selectable {
  readonly fields: readonly string[];
  /** What the server says of another field. */
  readonly refusal: (field: string) => string;
}

const notSupported = (field: string) => `field label not supported: ${field}`;

/** What a kind ("group/plural") selects by; a custom resource gives the fields of its definition. */
export function selectableFields(id: string, isNamespaced: boolean, custom?: readonly string[]): Selectable {
  if (custom) return { fields: [...(isNamespaced ? named : ['metadata.name']), ...custom], refusal: notSupported };
  const fields = own[id];
  if (id === 'batch/jobs') return { fields: fields ?? named, refusal: (field) => `field label "${field}" not supported for Job` };
  if (fields) return { fields, refusal: notSupported };
  return {
    fields: named,
    refusal: (field) => `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  };
}

/** Throws Failure 400 for a field that the kind does not select by. */
export function checkFields(requirements: readonly FieldRequirement[], { fields, refusal }: Selectable): void {
  for (const { field } of requirements) if (!fields.includes(field)) throw badRequest(refusal(field));
}

/** What an absent field reads as, where that is not the empty text. */
const absent: Readonly<Record<string, string>> = {
  'spec.unschedulable': 'false',
  'spec.hostNetwork': 'false',
  'status.replicas': '0',
  'status.successful': '0',
};

/** The fields are those of the served kinds: there are few, and each is asked for a thousand times. */
const steps = new Map<string, readonly string[]>();

function at(object: unknown, path: string): unknown {
  let value = object;
  let parts = steps.get(path);
  if (!parts) steps.set(path, (parts = path.split('.')));
  for (const part of parts) value = (value as Record<string, unknown> | undefined | null)?.[part];
  return value;
}

/** The value as text. */
export function fieldValue(object: KubeObject, field: string): string {
  let value: unknown;
  if (field === 'source') value = at(object, 'source.component') || at(object, 'reportingComponent');
  else if (field === 'status.successful') value = at(object, 'status.succeeded');
  else value = at(object, field);
  if (value === undefined || value === null) return absent[field] ?? '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unescaped(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (character === ',' || character === '=')
      throw badRequest(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    if (character !== '\\') {
      out += character;
      continue;
    }
    const next = text[++i] ?? '';
    if (next === '' || !'\\,='.includes(next)) throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`);
    out += next;
  }
  return out;
}

/** Splits at commas that are not escaped. */
function terms(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  found.push(text.slice(start));
  return found.filter((term) => term !== '').sort();
}

/** Reads "spec.nodeName=x,status.phase!=Running". Throws Failure 400; which fields a kind supports is checked by `checkFields`. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return terms(text).map((term) => {
    const match = /!=|==|=/.exec(term);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const field = term.slice(0, match.index);
    return { field, equals: match[0] !== '!=', value: unescaped(term.slice(match.index + match[0].length)) };
  });
}

export function matchesFields(requirements: readonly FieldRequirement[], object: KubeObject): boolean {
  for (const { field, equals, value } of requirements) if ((fieldValue(object, field) === value) !== equals) return false;
  return true;
}
