// Modules for what tests evaluate in the page; an import() written there would be rewritten by vitest.
globalThis.load = (name) => import(`/bundle/${name}.js`);
