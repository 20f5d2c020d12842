// Runs the scripts that are named, one after the other in one process: loading the SDK takes a second.
for (const script of process.argv.slice(2)) await import(`./${script}`);
