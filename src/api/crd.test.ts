import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { crds, definitions } from './crd.ts';
import { referencePage } from './reference-page.ts';
import { inputSchema, type JsonSchema, structuralSchema } from './structural-schema.ts';
import { parseMaintenance, parsePolicy } from './validate.ts';

function walk(schema: JsonSchema, path: string, visit: (schema: JsonSchema, path: string) => void): void {
  visit(schema, path);
  for (const [name, part] of Object.entries(schema.properties ?? {})) walk(part, `${path}.${name}`, visit);
  if (schema.items) walk(schema.items, `${path}[]`, visit);
  if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${path}.*`, visit);
}

/** What the API server does with defaults (apiextensions, structural defaulting: from the outside inwards). */
function withDefaults(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withDefaults(schema.items ?? {}, item));
  if (typeof value !== 'object' || value === null) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    if (filled[name] === undefined && part.default !== undefined) filled[name] = part.default;
    if (filled[name] !== undefined) filled[name] = withDefaults(part, filled[name]);
  }
  return filled;
}

describe.each(definitions)('the CRD of $kind', (definition) => {
  const spec = structuralSchema(definition.spec);
  const status = structuralSchema(definition.status);
  const places: { schema: JsonSchema; path: string }[] = [];
  walk(spec, 'spec', (schema, path) => places.push({ schema, path }));
  walk(status, 'status', (schema, path) => places.push({ schema, path }));
  const breach = (wrong: (schema: JsonSchema) => boolean) => places.filter(({ schema }) => wrong(schema)).map(({ path }) => path);

  it('has a type everywhere, but for int-or-string, which must have none', () => {
    expect(
      breach((schema) => (schema['x-kubernetes-int-or-string'] ? schema.type !== undefined : schema.type === undefined)),
    ).toEqual([]);
  });

  it('bounds every list and every map, so that the cost of its rules is bounded', () => {
    expect(breach((schema) => schema.type === 'array' && schema.maxItems === undefined)).toEqual([]);
    expect(breach((schema) => schema.additionalProperties !== undefined && schema.maxProperties === undefined)).toEqual([]);
  });

  it('bounds every text', () => {
    const bounded = (schema: JsonSchema) => schema.maxLength ?? schema.enum ?? schema.format;
    expect(breach((schema) => schema.type === 'string' && bounded(schema) === undefined)).toEqual([]);
  });

  it('describes every field', () => {
    const fields = places.filter(({ path }) => path.includes('.') && !path.endsWith('[]') && !path.endsWith('.*'));
    expect(fields.filter(({ schema }) => !schema.description).map(({ path }) => path)).toEqual([]);
  });

  it('has every field on the reference page', () => {
    const page = referencePage();
    const missing = places.filter(({ path }) => {
      const name = path.split('.').at(-1) ?? '';
      return path.includes('.') && name !== '*' && !name.endsWith('[]') && !page.includes(`${name}\``);
    });
    expect(missing).toEqual([]);
  });

  it('prints only columns that exist', () => {
    const paths = new Set(places.map(({ path }) => `.${path}`));
    const ours = definition.columns.filter((column) => !column.jsonPath.startsWith('.metadata.'));
    expect([...ours.map((column) => column.jsonPath), ...definition.selectable].filter((path) => !paths.has(path))).toEqual([]);
  });

  it('leaves out what a structural schema must not hold', () => {
    const source = JSON.stringify(inputSchema(definition.spec));
    expect(source).toContain('"additionalProperties":false');
    expect(JSON.stringify([spec, status])).not.toMatch(
      /"additionalProperties":(false|true|\{\})|propertyNames|\$schema|\$ref|"title":"/,
    );
  });
});

describe('defaults', () => {
  const [policyDefinition, maintenanceDefinition] = definitions;
  const envelope = (kind: string, spec: unknown) => ({ apiVersion: 'drover.dev/v1alpha1', kind, metadata: { name: 'x' }, spec });

  it('are the same in the API server and in the parser, whatever part of them is given', () => {
    const partly = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
    const spec = fc.record({
      nodeSelector: fc.constant({ matchLabels: { pool: 'a' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] }),
      reasons: fc.constant([
        { type: 'Condition', condition: { type: 'Broken' } },
        { type: 'Taint', taint: { key: 'k' } },
      ]),
      paused: partly(fc.boolean()),
      disruption: partly(fc.record({ maxNodes: partly(fc.constantFrom(0, 3, '20%')), minInterval: partly(fc.constant('5m')) })),
      drain: partly(
        fc.record({
          rules: partly(fc.constant([{ podSelector: { matchLabels: { a: 'b' }, matchExpressions: [] } }])),
          settle: partly(fc.record({ enabled: partly(fc.boolean()) })),
          ladder: partly(fc.constant([{ after: '1h', do: 'Delete' }])),
        }),
      ),
    });
    const schema = structuralSchema(policyDefinition?.spec ?? expect.fail('no such definition'));
    fc.assert(
      fc.property(spec, (written) => {
        const sent: unknown = JSON.parse(JSON.stringify(written));
        const parsed = parsePolicy(envelope('MaintenancePolicy', sent));
        expect(parsed.ok && parsed.value.spec).toEqual(withDefaults(schema, sent));
      }),
    );
  });

  it('of a maintenance are the same, too', () => {
    const schema = structuralSchema(maintenanceDefinition?.spec ?? expect.fail('no such definition'));
    const parsed = parseMaintenance(envelope('NodeMaintenance', { nodeName: 'worker-1' }));
    expect(parsed.ok && parsed.value.spec).toEqual(withDefaults(schema, { nodeName: 'worker-1' }));
  });
});

describe('crds', () => {
  it('are what docs/reference/crds.yaml holds', () => {
    const text = readFileSync(new URL('../../docs/reference/crds.yaml', import.meta.url), 'utf8');
    expect(parseAllDocuments(text).map((document) => document.toJS() as unknown)).toEqual(crds());
  });
});
