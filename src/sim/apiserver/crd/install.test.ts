import { describe, expect, it } from 'vitest';
import { crds } from '../../../api/crd.ts';
import { createVirtualClock } from '../../../lib/clock.ts';
import type { KubeObject } from '../../kubernetes.ts';
import { createSeededRandom } from '../../seeded-random.ts';
import type { Draft } from '../api.ts';
import { createApi } from '../create-api.ts';
import { Failure } from '../failure.ts';
import { customResourceDefinitions as definitions } from '../kinds.ts';
import type { Definition } from './definition.ts';
import { startCustomResources } from './install.ts';
import type { EvaluateRule } from './rules.ts';

function start(evaluateRule?: EvaluateRule) {
  const api = createApi({ clock: createVirtualClock(Date.parse('2026-01-01T00:00:00Z')), random: createSeededRandom(1) });
  return { api, custom: startCustomResources(api, { evaluateRule }) };
}

const widget = (names: object = {}, version: object = {}, spec: object = {}) =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], ...names },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  required: ['size'],
                  properties: { size: { type: 'integer', minimum: 1 }, colour: { type: 'string', default: 'red' } },
                },
                status: { type: 'object', properties: { phase: { type: 'string', enum: ['On', 'Off'] } } },
              },
            },
          },
          ...version,
        },
      ],
      ...spec,
    },
  }) as unknown as Draft<KubeObject>;

const one = (spec: object, more: object = {}) =>
  ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { namespace: 'default', name: 'one' },
    spec,
    ...more,
  }) as unknown as Draft<KubeObject>;

function refusal(write: () => unknown): Failure {
  try {
    write();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  return expect.fail('it was not refused');
}

const conditionsOf = (definition: KubeObject | undefined) =>
  Object.fromEntries(
    ((definition as Definition | undefined)?.status?.conditions ?? []).map(({ type, status }) => [type, status]),
  );

describe('a CustomResourceDefinition', () => {
  it('is established, and its kind served, when it has been created', () => {
    const { api } = start();
    api.create(definitions, widget());
    const stored = api.get(definitions, '', 'widgets.example.com') as Definition;
    expect(conditionsOf(stored)).toEqual({ NamesAccepted: 'True', Established: 'True' });
    expect(stored.status).toMatchObject({
      acceptedNames: { singular: 'widget', listKind: 'WidgetList' },
      storedVersions: ['v1'],
    });
    expect(api.findKind('example.com', 'v1', 'widgets')).toMatchObject({
      kind: 'Widget',
      shortNames: ['wd'],
      subresources: ['status'],
    });
  });

  it('is not served under names that another one has, until that one goes', () => {
    const { api } = start();
    api.create(definitions, widget());
    const rival = {
      ...widget({ plural: 'gadgets', kind: 'Widget' }),
      metadata: { name: 'gadgets.example.com' },
    } as Draft<KubeObject>;
    api.create(definitions, rival);
    expect(conditionsOf(api.get(definitions, '', 'gadgets.example.com'))).toEqual({
      NamesAccepted: 'False',
      Established: 'False',
    });
    expect(api.findKind('example.com', 'v1', 'gadgets')).toBeUndefined();
    api.remove(definitions, '', 'widgets.example.com');
    expect(conditionsOf(api.get(definitions, '', 'gadgets.example.com'))).toEqual({ NamesAccepted: 'True', Established: 'True' });
    expect(api.findKind('example.com', 'v1', 'gadgets')).toBeDefined();
  });

  it('takes its kind and all objects with it', () => {
    const { api } = start();
    api.create(definitions, widget());
    const kind = api.findKind('example.com', 'v1', 'widgets') ?? expect.fail();
    api.create(kind, one({ size: 1 }, { metadata: { namespace: 'default', name: 'one', finalizers: ['example.com/x'] } }));
    api.remove(definitions, '', 'widgets.example.com');
    expect(api.findKind('example.com', 'v1', 'widgets')).toBeUndefined();
    api.create(definitions, widget());
    expect(api.count(api.findKind('example.com', 'v1', 'widgets') ?? expect.fail())).toBe(0);
  });

  it("of Drover's is accepted and serves both kinds", () => {
    const { api } = start();
    for (const definition of crds()) api.create(definitions, definition as Draft<KubeObject>);
    expect(api.kinds().filter(({ group }) => group === 'drover.dev')).toHaveLength(2);
  });

  it.each<[string, Draft<KubeObject>, string, string]>([
    [
      'another name than its plural',
      { ...widget(), metadata: { name: 'x' } },
      'metadata.name',
      'must be spec.names.plural+"."+spec.group',
    ],
    ['no schema', widget({}, { schema: {} }), 'spec.versions[0].schema.openAPIV3Schema', 'Required value'],
    [
      'no stored version',
      widget({}, { storage: false }),
      'spec.versions',
      'must have exactly one version marked as storage version',
    ],
    [
      'a scope that does not exist',
      widget({}, {}, { scope: 'Galaxy' }),
      'spec.scope',
      'supported values: "Cluster", "Namespaced"',
    ],
    [
      'a property without a type',
      widget({}, { schema: { openAPIV3Schema: { type: 'object', properties: { spec: {} } } } }),
      'spec.versions[0].schema.openAPIV3Schema.properties[spec].type',
      'must not be empty for specified object fields',
    ],
    [
      'a default of another type',
      widget({}, { schema: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'string', default: 1 } } } } }),
      'spec.versions[0].schema.openAPIV3Schema.properties[a].default',
      'must be of type string',
    ],
    [
      'a list by a key that its elements lack',
      widget(
        {},
        {
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                l: {
                  type: 'array',
                  'x-kubernetes-list-type': 'map',
                  'x-kubernetes-list-map-keys': ['k'],
                  items: { type: 'object' },
                },
              },
            },
          },
        },
      ),
      'spec.versions[0].schema.openAPIV3Schema.properties[l].x-kubernetes-list-map-keys',
      'entries must all be names of item properties',
    ],
  ])('is refused with %s', (_, definition, field, message) => {
    const failure = refusal(() => start().api.create(definitions, definition));
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(failure.details?.causes).toContainEqual(expect.objectContaining({ field, message: expect.stringContaining(message) }));
  });
});

describe('a custom resource', () => {
  function withWidgets(evaluateRule?: EvaluateRule, definition = widget()) {
    const { api, custom } = start(evaluateRule);
    api.create(definitions, definition);
    const kind = api.findKind('example.com', 'v1', 'widgets') ?? expect.fail();
    return { api, custom, kind, facts: custom.facts(kind) ?? expect.fail() };
  }

  it('is defaulted and pruned', () => {
    const { api, kind } = withWidgets();
    const stored = api.create(kind, one({ size: 1, unknown: true }, { status: { phase: 'On' } }));
    expect(stored.spec).toEqual({ size: 1, colour: 'red' });
    expect(stored.status).toBeUndefined();
    expect(stored.metadata.generation).toBe(1);
  });

  it('is refused in the words of the server', () => {
    const { api, kind } = withWidgets();
    expect(refusal(() => api.create(kind, one({ size: 0 })))).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message:
        'Widget.example.com "one" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
      details: { group: 'example.com', kind: 'Widget', name: 'one' },
    });
  });

  it('counts generations by everything but metadata and status', () => {
    const { api, kind } = withWidgets();
    api.create(kind, one({ size: 1 }));
    const generation = (change: (object: KubeObject) => KubeObject, subresource: 'main' | 'status' = 'main') =>
      api.modify(kind, 'default', 'one', change, { subresource })?.metadata.generation;
    expect(generation((object) => ({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } } }))).toBe(1);
    expect(generation((object) => ({ ...object, status: { phase: 'On' } }), 'status')).toBe(1);
    expect(generation((object) => ({ ...object, spec: { size: 2 } }))).toBe(2);
    expect(api.get(kind, 'default', 'one')).toMatchObject({ spec: { size: 2, colour: 'red' }, status: { phase: 'On' } });
  });

  it('has its status checked where the status is written', () => {
    const { api, kind } = withWidgets();
    api.create(kind, one({ size: 1 }));
    const failure = refusal(() =>
      api.modify(kind, 'default', 'one', (object) => ({ ...object, status: { phase: 'Maybe' } }), { subresource: 'status' }),
    );
    expect(failure.details?.causes).toEqual([
      {
        reason: 'FieldValueNotSupported',
        field: 'status.phase',
        message: 'Unsupported value: "Maybe": supported values: "On", "Off"',
      },
    ]);
  });

  it('has its rules asked only when it fits its schema', () => {
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            required: ['size'],
            properties: { size: { type: 'integer' } },
            'x-kubernetes-validations': [{ rule: 'self.size < 5', message: 'is too large' }],
          },
        },
      },
    };
    const evaluate: EvaluateRule = (_, self) => (self as { size: bigint }).size < 5n;
    const { api, kind } = withWidgets(evaluate, widget({}, { schema }));
    expect(refusal(() => api.create(kind, one({ size: 7 }))).message).toBe(
      'Widget.example.com "one" is invalid: spec: Invalid value: "object": is too large',
    );
    expect(refusal(() => api.create(kind, one({}))).details?.causes?.map(({ field }) => field)).toEqual(['spec.size', '<nil>']);
    expect(api.create(kind, one({ size: 4 })).spec).toEqual({ size: 4 });
  });

  it('tells unknown fields as warnings, or refuses them', () => {
    const { facts } = withWidgets();
    const object = one({ size: 1, colours: [] });
    expect(facts.checkFields(object, 'Warn')).toEqual(['unknown field "spec.colours"']);
    expect(facts.checkFields(object, 'Ignore')).toEqual([]);
    expect(refusal(() => facts.checkFields(object, 'Strict'))).toMatchObject({
      code: 400,
      message: 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colours"',
    });
  });

  it('is the same object in every version', () => {
    const versions = ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      schema: {
        openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
      },
    }));
    const { api, kind } = withWidgets(undefined, widget({}, {}, { versions }));
    const other = api.findKind('example.com', 'v2', 'widgets') ?? expect.fail();
    api.create(kind, one({ size: 3 }));
    expect(api.get(other, 'default', 'one')).toMatchObject({ apiVersion: 'example.com/v2', spec: { size: 3 } });
  });
});
