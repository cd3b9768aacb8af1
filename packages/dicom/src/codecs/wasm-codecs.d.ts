/** The WebAssembly builds come without types; what wasm.ts uses of them. */
type Factory<Name extends string> = (options: {
  print: () => void;
  printErr: () => void;
}) => Promise<Record<Name, new () => never>>;

declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  const factory: Factory<'JpegLSDecoder'>;
  export default factory;
}

declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  const factory: Factory<'J2KDecoder'>;
  export default factory;
}

declare module '@cornerstonejs/codec-openjph/wasmjs' {
  const factory: Factory<'HTJ2KDecoder'>;
  export default factory;
}
