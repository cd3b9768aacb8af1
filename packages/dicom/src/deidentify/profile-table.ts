/**
 * Table E.1-1 of PS3.15 (edition 2024b): the attributes that the Basic Application Level Confidentiality Profile names, of
 * the groups that CT images, segmentations and structure sets use. A row is tag, value representation, action, keyword
 * and the option that keeps the value: X removed, Z emptied, D a dummy value, U a new UID, K kept with its items
 * treated in turn. Where the standard leaves the choice to the object (X/D, Z/D): D in multi-frame objects,
 * which must have a value, else the first. `descriptors` keeps a cleaned text, `dates` a date that is kept or shifted.
 *
 * Not in the standard's table are (0028,3003), (0040,9210), (0062,0005), (0062,0006), (0062,0020), (0070,0080) and
 * (0070,0081): free texts of tables of values and of segmentations, treated as the texts of structure sets are. What
 * stands neither here nor in harmless-table.ts is removed.
 */
export const profileTable: string = `
0008,0012 DA X InstanceCreationDate dates
0008,0013 TM X InstanceCreationTime dates
0008,0014 UI U InstanceCreatorUID
0008,0015 DT X InstanceCoercionDateTime dates
0008,0017 UI U AcquisitionUID
0008,0018 UI U SOPInstanceUID
0008,0019 UI U PyramidUID
0008,0020 DA Z StudyDate dates
0008,0021 DA X SeriesDate dates
0008,0022 DA Z AcquisitionDate dates
0008,0023 DA Z/D ContentDate dates
0008,0024 DA X OverlayDate dates
0008,0025 DA X CurveDate dates
0008,002A DT X/D AcquisitionDateTime dates
0008,0030 TM Z StudyTime dates
0008,0031 TM X SeriesTime dates
0008,0032 TM Z AcquisitionTime dates
0008,0033 TM Z/D ContentTime dates
0008,0034 TM X OverlayTime dates
0008,0035 TM X CurveTime dates
0008,0050 SH Z AccessionNumber
0008,0054 AE X RetrieveAETitle
0008,0055 AE X StationAETitle
0008,0058 UI U FailedSOPInstanceUIDList
0008,0080 LO X InstitutionName institution
0008,0081 ST X InstitutionAddress institution
0008,0082 SQ X InstitutionCodeSequence institution
0008,0090 PN Z ReferringPhysicianName
0008,0092 ST X ReferringPhysicianAddress
0008,0094 SH X ReferringPhysicianTelephoneNumbers
0008,0096 SQ X ReferringPhysicianIdentificationSequence
0008,009C PN Z ConsultingPhysicianName
0008,009D SQ X ConsultingPhysicianIdentificationSequence
0008,0106 DT D ContextGroupVersion dates
0008,0107 DT D ContextGroupLocalVersion dates
0008,0201 SH X TimezoneOffsetFromUTC dates
0008,1000 AE X NetworkID
0008,1010 SH X StationName device
0008,1030 LO X StudyDescription descriptors
0008,103E LO X SeriesDescription descriptors
0008,1040 LO X InstitutionalDepartmentName institution
0008,1041 SQ X InstitutionalDepartmentTypeCodeSequence institution
0008,1048 PN X PhysiciansOfRecord
0008,1049 SQ X PhysiciansOfRecordIdentificationSequence
0008,1050 PN X PerformingPhysicianName
0008,1052 SQ X PerformingPhysicianIdentificationSequence
0008,1060 PN X NameOfPhysiciansReadingStudy
0008,1062 SQ X PhysiciansReadingStudyIdentificationSequence
0008,1070 PN X OperatorsName
0008,1072 SQ X OperatorIdentificationSequence
0008,1080 LO X AdmittingDiagnosesDescription descriptors
0008,1084 SQ X AdmittingDiagnosesCodeSequence descriptors
0008,1088 LO X PyramidDescription descriptors
0008,1110 SQ X ReferencedStudySequence
0008,1111 SQ X ReferencedPerformedProcedureStepSequence
0008,1120 SQ X ReferencedPatientSequence
0008,1140 SQ K ReferencedImageSequence
0008,1155 UI U ReferencedSOPInstanceUID
0008,1195 UI U TransactionUID
0008,2111 ST X DerivationDescription descriptors
0008,2112 SQ K SourceImageSequence
0008,3010 UI U IrradiationEventUID
0008,4000 LT X IdentifyingComments descriptors
0010,0010 PN D PatientName
0010,0020 LO D PatientID
0010,0021 LO X IssuerOfPatientID
0010,0030 DA Z PatientBirthDate
0010,0032 TM X PatientBirthTime
0010,0040 CS Z PatientSex patient
0010,0050 SQ X PatientInsurancePlanCodeSequence
0010,0101 SQ X PatientPrimaryLanguageCodeSequence
0010,0102 SQ X PatientPrimaryLanguageModifierCodeSequence
0010,1000 LO X OtherPatientIDs
0010,1001 PN X OtherPatientNames
0010,1002 SQ X OtherPatientIDsSequence
0010,1005 PN X PatientBirthName
0010,1010 AS X PatientAge patient
0010,1020 DS X PatientSize patient
0010,1030 DS X PatientWeight patient
0010,1040 LO X PatientAddress
0010,1050 LO X InsurancePlanIdentification
0010,1060 PN X PatientMotherBirthName
0010,1080 LO X MilitaryRank
0010,1081 LO X BranchOfService
0010,1090 LO X MedicalRecordLocator
0010,1100 SQ X ReferencedPatientPhotoSequence
0010,2000 LO X MedicalAlerts descriptors
0010,2110 LO X Allergies descriptors
0010,2150 LO X CountryOfResidence
0010,2152 LO X RegionOfResidence
0010,2154 SH X PatientTelephoneNumbers
0010,2155 LT X PatientTelecomInformation
0010,2160 SH X EthnicGroup patient
0010,2180 SH X Occupation descriptors
0010,21A0 CS X SmokingStatus patient
0010,21B0 LT X AdditionalPatientHistory descriptors
0010,21C0 US X PregnancyStatus patient
0010,21D0 DA X LastMenstrualDate dates
0010,21F0 LO X PatientReligiousPreference
0010,2203 CS X PatientSexNeutered patient
0010,2297 PN X ResponsiblePerson
0010,2299 LO X ResponsibleOrganization
0010,4000 LT X PatientComments descriptors
0012,0010 LO D ClinicalTrialSponsorName
0012,0020 LO D ClinicalTrialProtocolID
0012,0021 LO Z ClinicalTrialProtocolName
0012,0022 LO X IssuerOfClinicalTrialProtocolID
0012,0023 SQ X OtherClinicalTrialProtocolIDsSequence
0012,0030 LO Z ClinicalTrialSiteID institution
0012,0031 LO Z ClinicalTrialSiteName institution
0012,0032 LO X IssuerOfClinicalTrialSiteID
0012,0040 LO D ClinicalTrialSubjectID
0012,0041 LO X IssuerOfClinicalTrialSubjectID
0012,0042 LO D ClinicalTrialSubjectReadingID
0012,0043 LO X IssuerOfClinicalTrialSubjectReadingID
0012,0050 LO Z ClinicalTrialTimePointID
0012,0051 ST X ClinicalTrialTimePointDescription descriptors
0012,0055 LO X IssuerOfClinicalTrialTimePointID
0012,0060 LO Z ClinicalTrialCoordinatingCenterName institution
0012,0071 LO X ClinicalTrialSeriesID
0012,0072 LO X ClinicalTrialSeriesDescription descriptors
0012,0073 LO X IssuerOfClinicalTrialSeriesID
0012,0081 LO D ClinicalTrialProtocolEthicsCommitteeName institution
0012,0082 LO X ClinicalTrialProtocolEthicsCommitteeApprovalNumber
0012,0086 DA X EthicsCommitteeApprovalEffectivenessStartDate dates
0012,0087 DA X EthicsCommitteeApprovalEffectivenessEndDate dates
0018,0010 LO Z ContrastBolusAgent descriptors
0018,0027 TM X InterventionDrugStopTime dates
0018,0035 TM X InterventionDrugStartTime dates
0018,1000 LO X/D DeviceSerialNumber device
0018,1002 UI U DeviceUID
0018,1004 LO X PlateID device
0018,1005 LO X GeneratorID device
0018,1007 LO X CassetteID device
0018,1008 LO X GantryID device
0018,1009 UT X UniqueDeviceIdentifier device
0018,100A SQ X UDISequence device
0018,100B UI U ManufacturerDeviceClassUID
0018,1012 DA X DateOfSecondaryCapture dates
0018,1014 TM X TimeOfSecondaryCapture dates
0018,1030 LO X ProtocolName descriptors
0018,1042 TM X ContrastBolusStartTime dates
0018,1043 TM X ContrastBolusStopTime dates
0018,1072 TM X RadiopharmaceuticalStartTime dates
0018,1073 TM X RadiopharmaceuticalStopTime dates
0018,1078 DT X RadiopharmaceuticalStartDateTime dates
0018,1079 DT X RadiopharmaceuticalStopDateTime dates
0018,11BB LO D AcquisitionFieldOfViewLabel descriptors
0018,1200 DA X DateOfLastCalibration dates
0018,1201 TM X TimeOfLastCalibration dates
0018,1202 DT X DateTimeOfLastCalibration dates
0018,1203 DT Z CalibrationDateTime dates
0018,1204 DA X DateOfManufacture dates
0018,1205 DA X DateOfInstallation dates
0018,1400 LO X AcquisitionDeviceProcessingDescription descriptors
0018,9074 DT D FrameAcquisitionDateTime dates
0018,9151 DT D FrameReferenceDateTime dates
0018,9185 ST X RespiratoryMotionCompensationTechniqueDescription descriptors
0018,9367 UC D XRaySourceID device
0018,9369 DT D SourceStartDateTime dates
0018,936A DT D SourceEndDateTime dates
0018,9371 UC D XRayDetectorID device
0018,9373 ST X XRayDetectorLabel device
0018,937B UT X MultienergyAcquisitionDescription descriptors
0018,937F UT X DecompositionDescription descriptors
0018,9424 LT X AcquisitionProtocolDescription descriptors
0018,9516 DT X StartAcquisitionDateTime dates
0018,9517 DT X EndAcquisitionDateTime dates
0018,9919 DT Z InstructionPerformedDateTime dates
0018,9937 LO X RequestedSeriesDescription descriptors
0018,A002 DT X ContributionDateTime dates
0018,A003 ST X ContributionDescription descriptors
0020,000D UI U StudyInstanceUID
0020,000E UI U SeriesInstanceUID
0020,0010 SH Z StudyID
0020,0027 LO X PyramidLabel descriptors
0020,0052 UI U FrameOfReferenceUID
0020,0200 UI U SynchronizationFrameOfReferenceUID
0020,3401 CS X ModifyingDeviceID device
0020,3403 DA X ModifiedImageDate dates
0020,3405 TM X ModifiedImageTime dates
0020,3406 LO X ModifiedImageDescription
0020,4000 LT X ImageComments descriptors
0020,9158 LT X FrameComments descriptors
0020,9161 UI U ConcatenationUID
0020,9164 UI U DimensionOrganizationUID
0028,1199 UI U PaletteColorLookupTableUID
0028,1214 UI U LargePaletteColorLookupTableUID
0028,3003 LO D LUTExplanation descriptors
0028,4000 LT X ImagePresentationComments
0032,0012 LO X StudyIDIssuer
0032,0032 DA X StudyVerifiedDate dates
0032,0033 TM X StudyVerifiedTime dates
0032,0034 DA X StudyReadDate dates
0032,0035 TM X StudyReadTime dates
0032,1000 DA X ScheduledStudyStartDate dates
0032,1001 TM X ScheduledStudyStartTime dates
0032,1010 DA X ScheduledStudyStopDate dates
0032,1011 TM X ScheduledStudyStopTime dates
0032,1020 LO X ScheduledStudyLocation device
0032,1021 AE X ScheduledStudyLocationAETitle
0032,1030 LO X ReasonForStudy descriptors
0032,1032 PN X RequestingPhysician
0032,1033 LO X RequestingService
0032,1040 DA X StudyArrivalDate dates
0032,1041 TM X StudyArrivalTime dates
0032,1050 DA X StudyCompletionDate dates
0032,1051 TM X StudyCompletionTime dates
0032,1060 LO X RequestedProcedureDescription descriptors
0032,1066 UT X ReasonForVisit descriptors
0032,1067 SQ X ReasonForVisitCodeSequence descriptors
0032,1070 LO X RequestedContrastAgent descriptors
0032,4000 LT X StudyComments descriptors
0038,0004 SQ X ReferencedPatientAliasSequence
0038,0010 LO X AdmissionID
0038,0011 LO X IssuerOfAdmissionID
0038,0014 SQ X IssuerOfAdmissionIDSequence
0038,001A DA X ScheduledAdmissionDate dates
0038,001B TM X ScheduledAdmissionTime dates
0038,001C DA X ScheduledDischargeDate dates
0038,001D TM X ScheduledDischargeTime dates
0038,001E LO X ScheduledPatientInstitutionResidence
0038,0020 DA X AdmittingDate dates
0038,0021 TM X AdmittingTime dates
0038,0030 DA X DischargeDate dates
0038,0032 TM X DischargeTime dates
0038,0040 LO X DischargeDiagnosisDescription descriptors
0038,0050 LO X SpecialNeeds
0038,0060 LO X ServiceEpisodeID
0038,0061 LO X IssuerOfServiceEpisodeID
0038,0062 LO X ServiceEpisodeDescription descriptors
0038,0064 SQ X IssuerOfServiceEpisodeIDSequence
0038,0300 LO X CurrentPatientLocation
0038,0400 LO X PatientInstitutionResidence
0038,0500 LO X PatientState descriptors
0038,4000 LT X VisitComments descriptors
0040,0001 AE X ScheduledStationAETitle
0040,0002 DA X ScheduledProcedureStepStartDate dates
0040,0003 TM X ScheduledProcedureStepStartTime dates
0040,0004 DA X ScheduledProcedureStepEndDate dates
0040,0005 TM X ScheduledProcedureStepEndTime dates
0040,0006 PN X ScheduledPerformingPhysicianName
0040,0007 LO X ScheduledProcedureStepDescription descriptors
0040,0009 SH X ScheduledProcedureStepID
0040,000B SQ X ScheduledPerformingPhysicianIdentificationSequence
0040,0010 SH X ScheduledStationName device
0040,0011 SH X ScheduledProcedureStepLocation device
0040,0012 LO X PreMedication
0040,0241 AE X PerformedStationAETitle
0040,0242 SH X PerformedStationName device
0040,0243 SH X PerformedLocation
0040,0244 DA X PerformedProcedureStepStartDate dates
0040,0245 TM X PerformedProcedureStepStartTime dates
0040,0250 DA X PerformedProcedureStepEndDate dates
0040,0251 TM X PerformedProcedureStepEndTime dates
0040,0253 SH X PerformedProcedureStepID
0040,0254 LO X PerformedProcedureStepDescription descriptors
0040,0275 SQ X RequestAttributesSequence descriptors
0040,0280 ST X CommentsOnThePerformedProcedureStep descriptors
0040,0310 ST X CommentsOnRadiationDose descriptors
0040,0555 SQ Z AcquisitionContextSequence
0040,1001 SH X RequestedProcedureID
0040,1002 LO X ReasonForTheRequestedProcedure descriptors
0040,1004 LO X PatientTransportArrangements
0040,1005 LO X RequestedProcedureLocation
0040,100A SQ X ReasonForRequestedProcedureCodeSequence descriptors
0040,1010 PN X NamesOfIntendedRecipientsOfResults
0040,1011 SQ X IntendedRecipientsOfResultsIdentificationSequence
0040,1101 SQ X PersonIdentificationCodeSequence
0040,1102 ST X PersonAddress
0040,1103 LO X PersonTelephoneNumbers
0040,1104 LT X PersonTelecomInformation
0040,1400 LT X RequestedProcedureComments descriptors
0040,2001 LO X ReasonForTheImagingServiceRequest descriptors
0040,2004 DA X IssueDateOfImagingServiceRequest dates
0040,2005 TM X IssueTimeOfImagingServiceRequest dates
0040,2008 PN X OrderEnteredBy
0040,2009 SH X OrderEntererLocation
0040,2010 SH X OrderCallbackPhoneNumber
0040,2011 LT X OrderCallbackTelecomInformation
0040,2016 LO Z PlacerOrderNumberImagingServiceRequest
0040,2017 LO Z FillerOrderNumberImagingServiceRequest
0040,2400 LT X ImagingServiceRequestComments descriptors
0040,9210 SH D LUTLabel descriptors
0040,A027 LO D VerifyingOrganization
0040,A030 DT D VerificationDateTime dates
0040,A032 DT X ObservationDateTime dates
0040,A073 SQ X VerifyingObserverSequence
0040,A075 PN D VerifyingObserverName
0040,A078 SQ X AuthorObserverSequence
0040,A07A SQ X ParticipantSequence
0040,A07C SQ X CustodialOrganizationSequence
0040,A088 SQ Z VerifyingObserverIdentificationCodeSequence
0040,A120 DT D DateTime dates
0040,A121 DA D Date dates
0040,A122 TM D Time dates
0040,A123 PN D PersonName
0040,A124 UI U UID
0040,A730 SQ X ContentSequence
0062,0005 LO D SegmentLabel descriptors
0062,0006 ST X SegmentDescription descriptors
0062,0020 UT D TrackingID descriptors
0062,0021 UI U TrackingUID
0070,0080 CS D ContentLabel descriptors
0070,0081 LO Z ContentDescription descriptors
0070,0084 PN Z ContentCreatorName
0070,0086 SQ X ContentCreatorIdentificationCodeSequence
0088,0140 UI U StorageMediaFileSetUID
0088,0200 SQ X IconImageSequence
0088,0904 LO X TopicTitle
0088,0906 ST X TopicSubject
0088,0910 LO X TopicAuthor
0088,0912 LO X TopicKeywords
3006,0002 SH D StructureSetLabel descriptors
3006,0004 LO X StructureSetName descriptors
3006,0006 ST X StructureSetDescription descriptors
3006,0008 DA Z StructureSetDate dates
3006,0009 TM Z StructureSetTime dates
3006,0024 UI U ReferencedFrameOfReferenceUID
3006,0026 LO D ROIName descriptors
3006,0028 ST X ROIDescription descriptors
3006,002D DT X ROIDateTime dates
3006,002E DT X ROIObservationDateTime dates
3006,0038 LO X ROIGenerationDescription descriptors
3006,004D SQ X ROICreatorSequence
3006,004E SQ X ROIInterpreterSequence
3006,0085 SH X ROIObservationLabel descriptors
3006,0088 ST X ROIObservationDescription descriptors
3006,00A6 PN Z ROIInterpreter
3006,00C2 UI U RelatedFrameOfReferenceUID
300E,0004 DA Z ReviewDate dates
300E,0005 TM Z ReviewTime dates
300E,0008 PN X ReviewerName
`;
