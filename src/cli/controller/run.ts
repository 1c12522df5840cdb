/** `drover controller`: reads the settings and hands over to the process that src/main wires. */
import type { Context } from '../command.ts';
import { readYaml } from '../config-file.ts';
import { type ControllerConfigInput, readControllerConfig } from '../controller-config.ts';
import type { ControllerFlags } from './command.ts';

export async function run(
  context: Context,
  _args: readonly string[],
  { config: file, notify, ...flags }: ControllerFlags,
): Promise<number> {
  const given = {
    ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== null)),
    ...(notify !== null && { notify: await readYaml(notify) }),
  } as ControllerConfigInput;
  const written = file === null ? {} : await readYaml(file);
  return context.startController(readControllerConfig(written, given, file ?? 'flags'));
}
