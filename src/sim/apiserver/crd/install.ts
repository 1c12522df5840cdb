/**
 * Serves what CustomResourceDefinitions define. A kind is there as soon as the write of its definition returns, which a real server needs a
 * moment for; with the definition its objects go, finalizers and all (upstream waits for them under its own finalizer).
 */
import type { Kind, Part } from '../api.ts';
import { timestamp } from '../../timestamp.ts';
import { versionConversion } from '../convert.ts';
import { customResourceDefinitions as definitions } from '../kinds.ts';
import type { Registry } from '../registry.ts';
import { apiVersionOf } from '../resource.ts';
import { type CustomFacts, customFacts, customStrategy, type DefinitionVersion } from './custom-resource.ts';
import { type Definition, definitionStrategy, established, isServed } from './definition.ts';
import type { EvaluateRule } from './rules.ts';

export interface CustomResources extends Part {
  /** Undefined for a kind that no definition made. */
  facts(kind: Kind): CustomFacts | undefined;
}

export interface CustomResourcesOptions {
  /** Absent: x-kubernetes-validations are not evaluated. */
  readonly evaluateRule?: EvaluateRule | undefined;
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export function kindsOf({ spec }: Definition): readonly { readonly kind: Kind; readonly version: DefinitionVersion }[] {
  const { names = {}, group = '', scope, versions = [] } = spec;
  return versions
    .filter(({ served }) => served)
    .map((version) => ({
      version,
      kind: {
        group,
        version: version.name,
        kind: names.kind ?? '',
        plural: names.plural ?? '',
        singular: names.singular ?? '',
        shortNames: names.shortNames ?? [],
        categories: names.categories ?? [],
        namespaced: scope === 'Namespaced',
        subresources: ['status', 'scale'].filter((name) => Object.hasOwn(version.subresources ?? {}, name)),
        verbs: VERBS,
      },
    }));
}

export function startCustomResources(registry: Registry, { evaluateRule }: CustomResourcesOptions = {}): CustomResources {
  const served = new Map<string, readonly Kind[]>();
  const facts = new Map<Kind, CustomFacts>();
  registry.serve(definitions, definitionStrategy);

  const withdraw = (name: string) => {
    for (const kind of served.get(name) ?? []) {
      facts.delete(kind);
      registry.withdraw(kind);
    }
    served.delete(name);
  };

  const serve = (definition: Definition) => {
    withdraw(definition.metadata.name);
    const kinds = kindsOf(definition);
    const stored = definition.spec.versions?.find(({ storage }) => storage)?.name ?? '';
    for (const { kind, version } of kinds) {
      const conversion = version.storage ? undefined : versionConversion(apiVersionOf(kind), `${kind.group}/${stored}`);
      registry.serve(kind, customStrategy(version, evaluateRule), conversion && { conversion });
      facts.set(kind, customFacts(kind, definition.spec.names?.listKind ?? `${kind.kind}List`, version));
    }
    served.set(
      definition.metadata.name,
      kinds.map(({ kind }) => kind),
    );
  };

  const settle = (definition: Definition) => {
    const others = registry.list(definitions) as readonly Definition[];
    const now = timestamp(registry.clock.now());
    const change = (current: Definition) => established(current, others, now);
    registry.modify(definitions, '', definition.metadata.name, (current) => change(current as Definition), {
      subresource: 'status',
      fieldManager: 'kube-apiserver',
    });
  };

  const stop = registry.watch(
    definitions,
    (event) => {
      const definition = event.object as Definition;
      const { name } = definition.metadata;
      if (event.type === 'DELETED') {
        for (const kind of served.get(name) ?? []) removeObjects(registry, kind);
        withdraw(name);
        // Another definition may have waited for the names.
        for (const other of registry.list(definitions) as readonly Definition[]) settle(other);
        return;
      }
      const before = event.type === 'MODIFIED' ? (event.previous as Definition) : undefined;
      if (isServed(definition) && (before?.spec !== definition.spec || !served.has(name))) serve(definition);
      settle(definition);
    },
    { replay: true },
  );

  return { name: 'custom-resources', stop, facts: (kind) => facts.get(kind) };
}

function removeObjects(registry: Registry, kind: Kind): void {
  for (const object of registry.list(kind)) {
    const { name, namespace = '', finalizers } = object.metadata;
    if (finalizers && finalizers.length > 0) {
      registry.modify(kind, namespace, name, (current) => ({ ...current, metadata: { ...current.metadata, finalizers: [] } }));
    }
    registry.remove(kind, namespace, name);
  }
}
