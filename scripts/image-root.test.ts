import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('./image-root.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'drover-image-root-'));

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.runIf(process.platform === 'linux')('the root file system of the image has all that Node needs to run the bundle', () => {
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist/drover.js'), "import { version } from 'node:process';\nprocess.stdout.write(version);\n");
  writeFileSync(join(folder, 'LICENSE'), 'a licence\n');
  execFileSync(process.execPath, [script, 'root'], { cwd: folder });
  const root = join(folder, 'root');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const loader = files.find((name) => /ld-linux[^/]*$/.test(name)) ?? 'no loader';
  const libraries = [...new Set(files.filter((name) => /\.so(\.\d+)*$/.test(name)).map((name) => join(root, name, '..')))];
  // the copied loader, which is told of no library but the copied ones
  const said = execFileSync(
    join(root, loader),
    [
      '--inhibit-cache',
      '--library-path',
      libraries.join(':'),
      join(root, 'usr/local/bin/node'),
      join(root, 'app/dist/drover.js'),
    ],
    { encoding: 'utf8', env: {} },
  );
  expect(said).toBe(process.version);
  expect(files.filter((name) => /(^|\/)(sh|bash|busybox|npm|apt)$/.test(name))).toEqual([]);
});
