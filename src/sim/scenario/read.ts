/** From the text of a scenario file to a scenario in which every name leads somewhere. */
import { parseAllDocuments } from 'yaml';
import { type FieldError, formatFieldErrors, parseFields } from '../../api/validate.ts';
import type { KubeObject } from '../kubernetes.ts';
import { nodeNames } from './nodes.ts';
import { type Scenario, type ScenarioEvent, scenarioSchema } from './schema.ts';

/** One line for the user; more of the same in `details`. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly details: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines[0]);
    this.details = lines.slice(1);
  }
}

export type LoadedFile =
  | { readonly kind: 'scenario'; readonly scenario: Scenario }
  | { readonly kind: 'manifests'; readonly objects: readonly KubeObject[] };

/**
 * Reads a file that is either a scenario or manifests (one or more documents, Lists taken apart), which have an apiVersion.
 * @param source its name, for errors. @param existing pools that are there already and may be named, too.
 * @throws ScenarioError
 */
export function readFileText(text: string, source: string, existing: readonly string[] = []): LoadedFile {
  const documents = parseAllDocuments(text);
  for (const { errors } of documents) {
    const [first] = errors;
    if (first) throw new ScenarioError([`${source} is not YAML: ${first.message.split('\n')[0]?.replace(/:$/, '') ?? ''}`]);
  }
  const values = documents.map((document) => document.toJS() as unknown).filter((value) => value !== null);
  const [first] = values;
  if (first === undefined)
    throw new ScenarioError([`${source} is empty; a scenario names pools and workloads, or give manifests`]);
  if (isMap(first) && 'apiVersion' in first) return { kind: 'manifests', objects: readManifests(values, source) };
  if (values.length > 1) throw new ScenarioError([`${source}: a scenario is one document, this file has ${values.length}`]);
  return { kind: 'scenario', scenario: readScenario(first, source, existing) };
}

/** A scenario from parsed YAML or JSON. @throws ScenarioError with each wrong field by its path. */
export function readScenario(value: unknown, source: string, existing: readonly string[] = []): Scenario {
  const parsed = parseFields(scenarioSchema, value);
  const errors = parsed.ok ? checkNames(parsed.value, existing) : parsed.errors;
  if (parsed.ok && errors.length === 0) return parsed.value;
  throw new ScenarioError(errors.map(({ path, message }) => `${source}: ${path === '' ? '' : `${path}: `}${message}`));
}

function readManifests(values: readonly unknown[], source: string): KubeObject[] {
  const flat = values.flatMap((value) =>
    isMap(value) && value['kind'] === 'List' && Array.isArray(value['items']) ? value['items'] : [value],
  );
  return flat.map((value: unknown, index) => {
    const parsed = parseFields(scenarioSchema.shape.objects, [value]);
    if (parsed.ok) return value as KubeObject;
    const errors = parsed.errors.map((error) => ({ ...error, path: error.path.replace(/^\[0\]\.?/, '') }));
    throw new ScenarioError(formatFieldErrors(`${source}: object`, String(index + 1), errors));
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the schema cannot see: names that lead nowhere, and things that are there twice. */
function checkNames(scenario: Scenario, existing: readonly string[]): FieldError[] {
  const pools = [...existing, ...scenario.pools.map(({ name }) => name)];
  return [
    ...twice(pools, (index) => `pools[${index - existing.length}].name`),
    ...twice(
      scenario.workloads.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
      (index) => `workloads[${index}].name`,
    ),
    ...twice(
      scenario.workloads.map(({ service, namespace, name }, index) => (service ? `Service ${namespace}/${name}` : String(index))),
      (index) => `workloads[${index}].service`,
    ),
    ...scenario.pools.flatMap(({ autoscale, count }, index) =>
      autoscale && (count < autoscale.min || count > autoscale.max)
        ? [
            {
              path: `pools[${index}].count`,
              message: `must be from autoscale.min to autoscale.max, ${autoscale.min} to ${autoscale.max}`,
            },
          ]
        : [],
    ),
    ...scenario.pools.flatMap(({ capacity = {}, zones }, index) =>
      Object.keys(capacity).flatMap((zone) => unknown('zone of the pool', zone, zones, `pools[${index}].capacity.${zone}`)),
    ),
    ...scenario.workloads.flatMap(({ pool }, index) =>
      [pool ?? []].flat().flatMap((name) => unknown('pool', name, pools, `workloads[${index}].pool`)),
    ),
    ...scenario.events.flatMap((event, index) => checkEvent(event, `events[${index}]`, scenario, pools)),
  ];
}

function checkEvent(event: ScenarioEvent, path: string, scenario: Scenario, pools: readonly string[]): FieldError[] {
  const { scale, ...others } = event;
  const nodes = scenario.pools.flatMap(nodeNames);
  const errors: FieldError[] = [];
  for (const [action, target] of Object.entries(others)) {
    if (!isMap(target)) continue;
    const { pool, node } = target as { pool?: string; node?: string };
    if (pool !== undefined) errors.push(...unknown('pool', pool, pools, `${path}.${action}.pool`));
    // A node of a pool that is there already may have any name.
    if (node !== undefined && pools.length === scenario.pools.length)
      errors.push(...unknown('node', node, nodes, `${path}.${action}.node`));
  }
  if (scale) {
    const known = scenario.workloads.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
    const manifests = scenario.objects.map(({ metadata }) => `${metadata.namespace ?? 'default'}/${metadata.name}`);
    const names = [...known.map(({ namespace, name }) => `${namespace}/${name}`), ...manifests];
    errors.push(...unknown('workload with replicas', `${scale.namespace}/${scale.workload}`, names, `${path}.scale.workload`));
  }
  return errors;
}

const MOST_NAMES = 12;

function unknown(what: string, name: string, names: readonly string[], path: string): FieldError[] {
  if (names.includes(name)) return [];
  const known = [...new Set(names)];
  const more = known.length > MOST_NAMES ? `, and ${known.length - MOST_NAMES} more` : '';
  const there = known.length === 0 ? 'there is none' : `there are: ${known.slice(0, MOST_NAMES).join(', ')}${more}`;
  return [{ path, message: `"${name}" is not a ${what}; ${there}` }];
}

function twice(names: readonly string[], path: (index: number) => string): FieldError[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [{ path: path(index), message: `"${name}" is there twice` }] : [],
  );
}
