// The whole file system of the image, from this checkout's dist: node scripts/image-root.mjs FOLDER. The Dockerfile runs it, and the beds
// do, so that what they test is what is shipped. Linux with the GNU C library; for the machine that it runs on.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [out] = process.argv.slice(2);
if (!out) throw new Error('usage: node scripts/image-root.mjs FOLDER');

function write(path, text) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), text);
}

/** Follows symbolic links: the image has the file itself where the loader looks for it. */
function copy(from, to = from) {
  mkdirSync(dirname(join(out, to)), { recursive: true });
  copyFileSync(from, join(out, to));
}

/** "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x...)", and the loader itself: "/lib64/ld-linux-x86-64.so.2 (0x...)" */
function librariesOf(program) {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path);
}

const libraries = librariesOf(process.execPath);
if (!libraries.some((path) => /\/ld-linux/.test(path))) throw new Error(`ldd names no loader for ${process.execPath}`);

copy(process.execPath, '/usr/local/bin/node');
for (const library of libraries) copy(library);
cpSync('dist', join(out, 'app/dist'), { recursive: true });
copy('LICENSE', '/app/LICENSE');
write('/app/package.json', '{"type":"module"}\n');
write('/etc/passwd', 'root:x:0:0:root:/root:/sbin/nologin\ndrover:x:65532:65532:drover:/nonexistent:/sbin/nologin\n');
write('/etc/group', 'root:x:0:\ndrover:x:65532:\n');
write('/etc/nsswitch.conf', 'hosts: files dns\n');
