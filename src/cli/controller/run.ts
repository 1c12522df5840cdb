/** `drover controller`: reads the settings and hands over to the process that src/main wires. */
import type { Context } from '../command.ts';
import { readYaml } from '../config-file.ts';
import { type ControllerConfigInput, readControllerConfig } from '../controller-config.ts';
import { UsageError } from '../errors.ts';
import type { ControllerFlags } from './command.ts';

export async function run(
  context: Context,
  _args: readonly string[],
  { config: file, notify, limits, ...flags }: ControllerFlags,
): Promise<number> {
  const given = {
    ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== null)),
    ...(notify !== null && { notify: await readYaml(notify) }),
    ...(limits !== null && { limits: readLimits(limits) }),
  } as ControllerConfigInput;
  const written = file === null ? {} : await readYaml(file);
  return context.startController(readControllerConfig(written, given, file ?? 'flags'));
}

/** "5,topology.kubernetes.io/zone=2" */
function readLimits(text: string): NonNullable<ControllerConfigInput['limits']> {
  const number = (value: string) => (/^\d+$/.test(value) ? Number(value) : value);
  const terms = text.split(',').map((term) => term.trim());
  const own = terms.filter((term) => !term.includes('='));
  if (own.length > 1) throw new UsageError(`--limits: "${text}" has more than one limit for the whole cluster`);
  const perGroup = terms
    .filter((term) => term.includes('='))
    .map((term) => {
      const at = term.lastIndexOf('=');
      return { label: term.slice(0, at), maxNodes: number(term.slice(at + 1)) };
    });
  return { ...(own[0] !== undefined && { maxNodes: number(own[0]) }), perGroup };
}
