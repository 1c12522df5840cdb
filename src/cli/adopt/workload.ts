/** The DaemonSets and Deployments of other tools, as YAML files or the API server have them, and the settings in their containers. */
import type { FlagTable } from './flag-table.ts';

export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: unknown;
  readonly tolerations?: readonly unknown[];
  readonly priorityClassName?: string;
  readonly volumes?: readonly {
    readonly name: string;
    readonly hostPath?: { readonly path: string };
    readonly configMap?: { readonly name?: string };
  }[];
}

export interface RawObject {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
  readonly data?: Readonly<Record<string, string>>;
  readonly items?: readonly RawObject[];
}

/** A container of a tool, with what is around it. */
export interface Workload {
  /** "DaemonSet kube-system/kured" */
  readonly title: string;
  readonly namespace: string;
  readonly pod: PodSpec;
  readonly container: Container;
  /** The ConfigMaps that it mounts: file name -> text. */
  readonly files: ReadonlyMap<string, string>;
}

export interface Settings {
  /** All values of a flag, by its name in the table; a switch without a value is "true". */
  readonly of: ReadonlyMap<string, readonly string[]>;
  /** Words that are no flags. */
  readonly words: readonly string[];
  /** As written; a table has no row for it. */
  readonly unknown: readonly string[];
  /** Their values come from a Secret or the like. */
  readonly hidden: ReadonlySet<string>;
}

export const last = ({ of }: Settings, flag: string): string | undefined => of.get(flag)?.at(-1);
export const isOn = (settings: Settings, flag: string): boolean => /^(1|t|true)$/i.test(last(settings, flag) ?? '');

/** Those whose image or name is one of `names`. */
export function workloadsOf(objects: readonly RawObject[], names: readonly string[]): Workload[] {
  const flat = objects.flatMap((each) => each.items ?? [each]);
  return flat.flatMap((object) => {
    const pod = object.spec?.template?.spec;
    if (!pod || (object.kind !== 'DaemonSet' && object.kind !== 'Deployment')) return [];
    const container = (pod.containers ?? []).find(
      (each) => names.includes(imageName(each.image ?? '')) || names.includes(each.name ?? ''),
    );
    if (!container) return [];
    const namespace = object.metadata?.namespace ?? 'default';
    const maps = new Set((pod.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []));
    const files = flat.flatMap(({ kind, metadata, data }) =>
      kind === 'ConfigMap' && maps.has(metadata?.name ?? '') && (metadata?.namespace ?? namespace) === namespace
        ? Object.entries(data ?? {})
        : [],
    );
    return [
      { title: `${object.kind} ${namespace}/${object.metadata?.name ?? ''}`, namespace, pod, container, files: new Map(files) },
    ];
  });
}

/** "ghcr.io/kubereboot/kured:1.23.0" -> "kured" */
function imageName(image: string): string {
  return (image.split('/').at(-1) ?? '').split(/[:@]/)[0] ?? '';
}

/** @param envOf the environment variable that does the same as a flag */
export function settingsOf({ container }: Workload, table: FlagTable, envOf: (flag: string) => string): Settings {
  const of = new Map<string, string[]>();
  const words: string[] = [];
  const unknown: string[] = [];
  const hidden = new Set<string>();
  const add = (flag: string, value: string) => of.set(flag, [...(of.get(flag) ?? []), value]);
  for (const flag of Object.keys(table)) {
    const entry = container.env?.find(({ name }) => name === envOf(flag));
    if (entry?.value !== undefined) add(flag, entry.value);
    else if (entry?.valueFrom !== undefined) hidden.add(flag);
  }
  const env = new Map((container.env ?? []).map(({ name, value }) => [name, value ?? '']));
  const expand = (text: string) => text.replace(/\$\(([A-Za-z_]\w*)\)/g, (whole, name: string) => env.get(name) ?? whole);
  const rest = [...(container.command ?? []).slice(1), ...(container.args ?? [])].map(expand);
  const fromArguments = new Set<string>();
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, flag, value] = /^--?([A-Za-z][\w.-]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (flag === undefined) words.push(word);
    else if (!table[flag]) unknown.push(word.split('=')[0] ?? word);
    else {
      // What an argument says counts, not the variable beside it.
      if (!fromArguments.has(flag)) of.delete(flag);
      fromArguments.add(flag);
      hidden.delete(flag);
      const isSwitch = /^(true|false)$/.test(table[flag].initial);
      add(flag, value ?? (isSwitch || rest[0]?.startsWith('-') ? 'true' : (rest.shift() ?? '')));
    }
  }
  return { of, words, unknown, hidden };
}

/** A path in the container as the host has it; null where it is no path of the host's. */
export function onHost({ container, pod }: Workload, path: string): string | null {
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => b.mountPath.length - a.mountPath.length);
  const mount = mounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath.replace(/\/$/, '')}/`));
  const host = pod.volumes?.find(({ name }) => name === mount?.name)?.hostPath?.path;
  if (!mount || host === undefined) return null;
  return `${host.replace(/\/$/, '')}${path.slice(mount.mountPath.replace(/\/$/, '').length)}` || '/';
}
