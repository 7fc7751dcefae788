/**
 * Everything that a reader may still name in a picture that was sent: how it is stored, and how its
 * colors and its shape are to be seen. Anything else is a leak.
 *
 * @module
 */

/** exiftool's names, as patterns for `Group:Tag`. */
const EXIFTOOL: readonly RegExp[] = [
  // About the file on this disk, and about exiftool; derived from others.
  /^(?:SourceFile$|System:|ExifTool:ExifToolVersion$)/,
  /^Composite:(?:ImageSize|Megapixels|AvgBitrate|Duration)$/,
  /^File:(?:FileType|FileTypeExtension|MIMEType)$/,
  // JPEG: frame header, JFIF without its thumbnail, Adobe's color transform, and of EXIF only the
  // orientation.
  /^File:(?:ImageWidth|ImageHeight|EncodingProcess|BitsPerSample)$/,
  /^File:(?:ColorComponents|YCbCrSubSampling)$/,
  /^File:(?:ExifByteOrder|ColorTransform)$/,
  /^JFIF:(?:JFIFVersion|ResolutionUnit|XResolution|YResolution)$/,
  /^Adobe:(?:DCTEncodeVersion|APP14Flags0|APP14Flags1|ColorTransform)$/,
  /^IFD0:Orientation$/,
  // PNG.
  /^PNG:(?:ImageWidth|ImageHeight|BitDepth|ColorType|Compression|Filter|Interlace)$/,
  /^PNG:(?:Palette|Transparency|SRGBRendering|Gamma|SignificantBits|BackgroundColor)$/,
  /^PNG:(?:WhitePoint[XY]|(?:Red|Green|Blue)[XY]|ColorPrimaries|TransferCharacteristics)$/,
  /^PNG:(?:MatrixCoefficients|VideoFullRangeFlag|AnimationFrames|AnimationPlays)$/,
  /^PNG-pHYs:(?:PixelUnits|PixelsPerUnit[XY])$/,
  /^PNG-cICP:\w+$/,
  // GIF.
  /^GIF:(?:GIFVersion|ImageWidth|ImageHeight|HasColorMap|ColorResolutionDepth|BitsPerPixel)$/,
  /^GIF:(?:BackgroundColor|PixelAspectRatio|FrameCount|Duration)$/,
  /^GIF:(?:AnimationIterations|TransparentColor)$/,
  // WebP.
  /^RIFF:(?:ImageWidth|ImageHeight|VP8Version|HorizontalScale|VerticalScale|WebP_Flags)$/,
  /^RIFF:(?:AlphaIsUsed|AlphaPreprocessing|AlphaFiltering|AlphaCompression)$/,
  /^RIFF:(?:BackgroundColor|AnimationLoopCount|FrameCount|Duration)$/,
  // AVIF: what decoders and players need.
  /^QuickTime:(?:MajorBrand|MinorVersion|CompatibleBrands|HandlerType)$/,
  /^QuickTime:(?:ImageSpatialExtent|ImagePixelDepth)$/,
  /^QuickTime:(?:ColorProfiles|ColorPrimaries|TransferCharacteristics)$/,
  /^QuickTime:(?:MatrixCoefficients|VideoFullRangeFlag)$/,
  /^QuickTime:(?:AV1ConfigurationVersion|SeqProfile|SeqLevelIdx0|SeqTier0|HighBitDepth|TwelveBit)$/,
  /^QuickTime:(?:ChromaFormat|ChromaSamplePosition|InitialDelaySamples|AuxiliaryImageType)$/,
  /^QuickTime:(?:Rotation|Mirroring|CleanAperture|PixelAspectRatio|LayeredImage)\w*$/,
  /^QuickTime:(?:MovieHeaderVersion|TimeScale|Duration|PreferredRate)$/,
  /^QuickTime:(?:PreferredVolume|MatrixStructure)$/,
  /^QuickTime:(?:NextTrackID|MediaDataSize|MediaDataOffset|MediaData)$/,
  /^QuickTime:Unknown_(?:clli|mdcv|a1lx|a1op|lsel|pixi|imir|prem)$/,
  /^Meta:(?:PrimaryItemReference|MetaImageSize)$/,
  /^Track\d+:(?:TrackHeaderVersion|TrackID|TrackDuration|TrackLayer|TrackVolume|MatrixStructure)$/,
  /^Track\d+:(?:ImageWidth|ImageHeight|MediaHeaderVersion|MediaTimeScale|MediaDuration)$/,
  /^Track\d+:(?:MediaLanguageCode|HandlerType|HandlerClass|GraphicsMode|OpColor|OtherFormat)$/,
  /^Track\d+:(?:ChunkOffset\w*|SampleToChunk|SampleSizes|SyncSampleTable|TimeToSampleTable)$/,
  /^Track\d+:(?:CompressorID|SourceImageWidth|SourceImageHeight|XResolution|YResolution|BitDepth)$/,
  /^Track\d+:(?:VideoFrameRate|PixelAspectRatio|ColorProfiles|ColorPrimaries)$/,
  /^Track\d+:TransferCharacteristics$/,
  /^Track\d+:(?:MatrixCoefficients|VideoFullRangeFlag|CleanApertureDimensions)$/,
  /^Track\d+:Unknown_(?:av1C|colr|ccst|auxl|auxi|clli|mdcv|pasp|clap|prem|edts)$/,
  // The color profile: what color needs.
  /^ICC-header:(?:ProfileVersion|ProfileClass|ColorSpaceData|ProfileConnectionSpace)$/,
  /^ICC-header:(?:ProfileFileSignature|CMMFlags|DeviceAttributes|RenderingIntent)$/,
  /^ICC-header:ConnectionSpaceIlluminant$/,
  /^ICC_Profile:(?:MediaWhitePoint|MediaBlackPoint|ChromaticAdaptation|ChromaticityChannel\w*)$/,
  /^ICC_Profile:(?:Red|Green|Blue)(?:MatrixColumn|TRC)$/,
  /^ICC_Profile:(?:GrayTRC|AToB\d|BToA\d|DToB\d|BToD\d|Gamut|ColorantTable|ColorantOrder)$/,
  /^ICC_Profile:(?:CICP\w*|ColorPrimaries|TransferCharacteristics)$/,
  /^ICC_Profile:(?:MatrixCoefficients|VideoFullRangeFlag)$/,
  /^ICC-chrm:\w+$/,
  /^ICC-cicp:\w+$/,
];

/** What every profile must have, and is the same in each rewritten one. */
const NEUTRAL: readonly RegExp[] = [
  /^PNG:ProfileName$/,
  /^ICC_Profile:(?:ProfileDescription|ProfileCopyright)$/,
];
const NEUTRAL_NAME = /^(?:ICC profile|None)$/;

/** Values that mean that there is nothing. */
const NOTHING = /^(?:|0|0 s|none|und|0000:00:00 00:00:00|(?:0 )*0|unknown \(\))$/i;

/** True if exiftool may name it. */
export function isAllowed(name: string, value: unknown): boolean {
  const text = String(value).trim();
  if (NOTHING.test(text)) return true;
  if (NEUTRAL.some((pattern) => pattern.test(name))) return NEUTRAL_NAME.test(text);
  return EXIFTOOL.some((pattern) => pattern.test(name));
}
